// A Socket.IO server that nobody here wrote: npm `socket.io`, of the release that the first argument names
// (socket.io4, socket.io3, socket.io2: aliases that .ci/run installs). Prints its port as a JSON line.
// Flags: --websocket, --polling (only that transport), --recovery (connection-state recovery, 4.x),
// --small (maxHttpBufferSize 1000).
import { createRequire } from "node:module";
import { createServer } from "node:http";
const require = createRequire(process.env.RTUI_NODE_MODULES + "/");
const [name, ...flags] = process.argv.slice(2);
const library = require(name);
const old = name === "socket.io2";

const options = { serveClient: false };
if (flags.includes("--websocket")) options.transports = ["websocket"];
if (flags.includes("--polling")) options.transports = ["polling"];
if (flags.includes("--recovery")) options.connectionStateRecovery = { maxDisconnectionDuration: 60_000 };
if (flags.includes("--small")) options.maxHttpBufferSize = 1000;
const http = createServer();
const server = old ? library(http, options) : new library.Server(http, options);

function play(socket) {
  socket.on("echo", (...all) => {
    const answer = typeof all.at(-1) === "function" ? all.pop() : () => {};
    socket.emit("echoed", ...all);
    answer(...all);
  });
  socket.on("slow", (ms, answer) => setTimeout(answer, ms, { waited: ms }));
  socket.on("measured", (answer) => answer(process.hrtime.bigint().toString()));
  socket.on("never", (_answer) => socket.emit("heard"));
  socket.on("kick", (close, _answer) => (close ? socket.conn.close() : socket.disconnect()));
  socket.on("ask", (...question) => socket.emit("question", ...question, (...answer) => socket.emit("answered", ...answer)));
  socket.on("ask twice", () => {
    for (const n of [1, 2]) socket.emit("question", n, (...answer) => socket.emit("answered", n, ...answer));
  });
  socket.on("binary", () => socket.emit("image", "first", Buffer.from([1, 2, 3]), { deep: [Buffer.from([0, 255])] }));
  socket.on("burst", (count) => {
    for (let n = 0; n < count; n++) socket.emit("burst", n, { pad: "x".repeat(40) });
  });
  socket.on("volatile", (count) => {
    for (let n = 0; n < count; n++) (n % 2 ? socket.volatile : socket).emit("drop", n);
  });
  socket.on("numbers", () => socket.emit("numbers", 1.5, 12345678901234, -0, 1e21, "\u001b[31m"));
  socket.on("\u001b[31m,odd", (...all) => socket.emit("\u001b]0;owned\u0007", all.length));
  socket.on("how", (answer) => answer(socket.conn.transport.name, socket.handshake.query, socket.handshake.auth ?? null));
  socket.on("cut", () => {
    socket.once("disconnect", () => socket.nsp.emit("missed", "while you were away"));
    const { transport } = socket.conn;
    transport.name === "websocket" ? transport.socket.terminate() : transport.onClose();
  });
  socket.on("recovered", (answer) => answer(Boolean(socket.recovered)));
}

server.on("connection", play);
server.of("/chat").on("connection", (socket) => {
  play(socket);
  socket.on("all", (...all) => server.of("/chat").emit("everybody", ...all));
});
const guarded = server.of("/guarded");
guarded.use((socket, next) => {
  const auth = (old ? socket.handshake.query : socket.handshake.auth) ?? {};
  if (auth.token === "demo") return next();
  const refusal = new Error("who are you?");
  refusal.data = { code: 401 };
  next(refusal);
});
guarded.on("connection", (socket) => {
  play(socket);
  socket.emit("granted", 1);
});
http.listen(0, "127.0.0.1", () => console.log(JSON.stringify({ port: http.address().port })));
process.stdin.resume().on("end", () => process.exit(0));
