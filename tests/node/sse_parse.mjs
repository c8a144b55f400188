// npm `eventsource-parser`, which npm `eventsource` and the SDKs of AI servers use, on streams that are given whole.
// Reads a JSON list of streams (base64), prints a JSON list of the events in each: [type, data, id of its own or null].
import { createRequire } from "node:module";
import { readFileSync } from "node:fs";

const require = createRequire(`${process.env.RTUI_NODE_MODULES}/`);
const { createParser } = require("eventsource-parser");

function parse(stream) {
  const events = [];
  const parser = createParser({
    onEvent: ({ event, data, id }) => events.push([event ?? "message", data, id ?? null]),
  });
  parser.feed(new TextDecoder().decode(Buffer.from(stream, "base64")));
  return events;
}

console.log(JSON.stringify(JSON.parse(readFileSync(0, "utf8")).map(parse)));
