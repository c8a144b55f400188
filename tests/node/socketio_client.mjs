// The client that most people use, npm `socket.io-client`, at the demo server: prints what it saw as one JSON line.
import { createRequire } from "node:module";
const require = createRequire(process.env.RTUI_NODE_MODULES + "/");
const { Manager } = require("socket.io-client");

const [address, transport] = process.argv.slice(2);
const manager = new Manager(address, { transports: [transport], reconnection: false, query: { rate: "0" } });
const root = manager.socket("/");
const chat = manager.socket("/chat", { auth: { name: "ann" } });
const stranger = manager.socket("/private");
const event = (socket, name, wanted = () => true) =>
  new Promise((done) => socket.on(name, (...all) => wanted(...all) && done(all)));
const ack = (socket, ...all) => new Promise((done) => socket.emit(...all, (...answer) => done(answer)));

const [image, verdict] = [event(root, "image"), event(root, "verdict")];
const heard = event(chat, "said", (_room, name) => name === "ann");
const refused = await new Promise((done) => stranger.on("connect_error", done));
const secret = event(stranger, "secret");
stranger.auth = { token: "demo" };
stranger.connect();
root.on("question", (_text, answer) => answer(42));
root.emit("question");

const echo = await ack(root, "echo", 1, { a: [2] }, "drei");
const binary = await ack(root, "binary", Buffer.from([1, 2]));
await ack(chat, "say", "hi");
const [name, bytes] = await image;
console.log(
  JSON.stringify({
    echo,
    binary: binary.map((one) => one.toString("base64")),
    image: [name, bytes.length],
    verdict: await verdict,
    refused: { message: refused.message, data: refused.data },
    secret: await secret,
    heard: await heard,
  }),
);
process.exit(0);
