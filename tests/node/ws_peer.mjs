// A WebSocket server that nobody here wrote: npm `ws`. Prints its port, echoes, and obeys a few paths.
import { createRequire } from "node:module";
const require = createRequire(process.env.RTUI_NODE_MODULES + "/");
const { WebSocketServer } = require("ws");

const server = new WebSocketServer({
  host: "127.0.0.1",
  port: 0,
  maxPayload: 64 * 1024 * 1024,
  perMessageDeflate: process.argv.includes("--deflate") && { threshold: 0 },
  handleProtocols: (offered) => (offered.has("v2") ? "v2" : false),
});

server.on("listening", () => console.log(server.address().port));
server.on("connection", (socket, request) => {
  const path = request.url;
  socket.on("message", (data, isBinary) => socket.send(data, { binary: isBinary }));
  socket.on("ping", (data) => socket.send("pinged:" + data));
  if (path === "/close") socket.close(4002, "by node");
  if (path === "/terminate") socket.terminate();
  if (path === "/burst") for (let n = 0; n < 20000; n++) socket.send(JSON.stringify({ type: "burst", n }));
  if (path === "/fragments") {
    socket.send("one ", { fin: false });
    socket.ping("between");
    socket.send("two", { fin: true });
  }
});
process.stdin.resume().on("end", () => process.exit(0));
