// npm `eventsource`, which reconnects and resumes by itself, on our server: prints the first N events as JSON lines.
//   node sse_client.mjs http://127.0.0.1:PORT/end?after=3 N TYPE…
import { createRequire } from "node:module";

const require = createRequire(`${process.env.RTUI_NODE_MODULES}/`);
const { EventSource } = require("eventsource");

const [url, count, ...types] = process.argv.slice(2);
let left = Number(count);
const source = new EventSource(url);
for (const type of ["message", ...types]) {
  source.addEventListener(type, ({ lastEventId, data }) => {
    if (left-- > 0) console.log(JSON.stringify({ type, id: lastEventId, data }));
    if (left <= 0) source.close();
  });
}
