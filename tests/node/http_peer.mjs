// An HTTP server that nobody here wrote: Node's own. Prints its ports as a JSON line; ends with its stdin.
//   node http_peer.mjs [MS]     {"port": HTTP/1.1, "port2": HTTP/2 without TLS}
// MS: HTTP/1.1 ends a connection so long after each answer, asked again or not; without it, it keeps them.
import { createServer } from "node:http";
import { createServer as createServer2 } from "node:http2";
import { createBrotliCompress, createDeflate, createGzip, constants } from "node:zlib";

const EVENTS = { "Content-Type": "text/event-stream", "Cache-Control": "no-store" };
const PRESSES = {
  gzip: () => createGzip({ flush: constants.Z_SYNC_FLUSH }),
  deflate: () => createDeflate({ flush: constants.Z_SYNC_FLUSH }),
  br: () => createBrotliCompress({ flush: constants.BROTLI_OPERATION_FLUSH }),
};
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const written = (stream, data) => new Promise((resolve) => stream.write(data, resolve));
const connections = new WeakMap(); // socket or HTTP/2 session → its number, in the order of their first requests
let connected = 0;
let version = 1; // of /resource

function connection(request) {
  const key = request.stream?.session ?? request.socket;
  if (!connections.has(key)) connections.set(key, ++connected);
  return connections.get(key);
}

async function body(request) {
  const parts = [];
  for await (const part of request) parts.push(part);
  return Buffer.concat(parts).toString();
}

const places = {
  // ?n=: that many events, and more of them after the id that the client names; then the end.
  async "/count"(request, response, query) {
    response.writeHead(200, EVENTS);
    const first = Number(request.headers["last-event-id"] ?? 0) + 1;
    response.write("retry: 20\n\n");
    for (let id = first; id < first + Number(query.get("n")); id++) response.write(`id: ${id}\ndata: {"n":${id}}\n\n`);
    response.end();
  },
  // ?with=: one event, compressed; the next once somebody asks for /more.
  async "/pressed"(request, response, query) {
    const name = query.get("with");
    response.writeHead(200, { ...EVENTS, "Content-Encoding": name });
    const press = PRESSES[name]();
    press.pipe(response);
    press.write("data: first\n\n");
    await new Promise((resolve) => (more = resolve));
    press.end("data: second\n\n");
  },
  async "/more"(request, response) {
    more();
    response.end("{}");
  },
  // Every byte in a write, and so in a chunk, of its own.
  async "/bytes"(request, response) {
    response.writeHead(200, EVENTS);
    const text = "\ufeffid: 7\r\nevent: český\rdata: 🎉 one\ndata\ndata:  two\r\n\r\ndata: last\r\r";
    for (const byte of Buffer.from(text)) await written(response, Buffer.from([byte]));
    response.end();
  },
  // What a proxy may say first (103), and trailers after the last chunk.
  async "/hints"(request, response) {
    response.writeEarlyHints({ link: "</style.css>; rel=preload" });
    response.writeHead(200, { ...EVENTS, Trailer: "X-Count" });
    response.write("data: after hints\n\n");
    response.addTrailers({ "X-Count": "1" });
    response.end();
  },
  // One event, then a chunk whose end never comes.
  async "/destroy"(request, response) {
    response.writeHead(200, EVENTS);
    await written(response, "id: 1\ndata: whole\n\ndata: cut");
    request.socket.destroy();
  },
  async "/echo"(request, response) {
    const { method, headers, url } = request;
    response.writeHead(200, EVENTS);
    response.end(`data: ${JSON.stringify({ method, headers, url, body: await body(request) })}\n\n`);
  },
  async "/gone"(request, response) {
    response.writeHead(204).end();
  },
  // Changes when it is PUT; says which connection asked, which is no part of what it is.
  async "/resource"(request, response) {
    if (request.method === "PUT") version++;
    const tag = `"v${version}"`;
    const head = { ETag: tag, "Content-Type": "application/json", "X-Connection": connection(request) };
    if (request.headers["if-none-match"] === tag) return response.writeHead(304, head).end();
    response.writeHead(200, head);
    response.end(JSON.stringify({ version }));
  },
  // ?cursor=: what comes after it, held back a little; chunked, as JSON is without a Content-Length.
  async "/queue"(request, response, query) {
    const cursor = Number(query.get("cursor") ?? 0);
    await pause(20);
    response.writeHead(200, { "Content-Type": "application/json" });
    response.write(`{"next":${cursor + 2},"items":[{"id":${cursor + 1}},`);
    response.end(`{"id":${cursor + 2}}]}`);
  },
};
let more = () => {};

async function answer(request, response) {
  const url = new URL(request.url, "http://here");
  const place = places[url.pathname];
  if (place) return place(request, response, url.searchParams);
  response.writeHead(404, { "Content-Type": "text/plain" }).end("nothing here\n");
}

const server = createServer({ keepAliveTimeout: 60_000, noDelay: true }, answer);
const keep = process.argv[2];
if (keep) {
  server.on("request", ({ socket }, response) => response.on("finish", () => setTimeout(() => socket.end(), keep)));
}
const server2 = createServer2(answer);
server.listen(0, "127.0.0.1", () =>
  server2.listen(0, "127.0.0.1", () =>
    console.log(JSON.stringify({ port: server.address().port, port2: server2.address().port })),
  ),
);
process.stdin.resume().on("end", () => process.exit(0));
