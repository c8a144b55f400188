// socket.io-client as everybody writes it first: print every event with its arguments; end when the server says so.
//   node socketio_tail.mjs http://127.0.0.1:PORT/?n=N
import { createRequire } from "node:module";

const require = createRequire(`${process.env.RTUI_NODE_MODULES}/`);
const { io } = require("socket.io-client");

const url = new URL(process.argv[2]);
const query = Object.fromEntries(url.searchParams);
const socket = io(url.origin, { transports: ["websocket"], reconnection: false, query });
socket.onAny((event, ...args) => process.stdout.write(JSON.stringify({ time: Date.now(), event, args }) + "\n"));
socket.on("disconnect", () => socket.close());
