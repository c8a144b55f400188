// npm `eventsource` as everybody writes it first: print every event; end with the stream.
//   node sse_tail.mjs http://127.0.0.1:PORT/?n=N
import { createRequire } from "node:module";

const require = createRequire(`${process.env.RTUI_NODE_MODULES}/`);
const { EventSource } = require("eventsource");

const source = new EventSource(process.argv[2]);
source.addEventListener("message", ({ type, data, lastEventId }) =>
  process.stdout.write(JSON.stringify({ time: Date.now(), type, lastEventId, data: JSON.parse(data) }) + "\n"),
);
source.addEventListener("error", () => source.close());
