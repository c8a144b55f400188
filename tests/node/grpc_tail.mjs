// The messages of a server stream as JSON, a line each: node grpc_tail.mjs PORT METHOD COUNT
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";

const require = createRequire(`${process.env.RTUI_NODE_MODULES}/`);
const grpc = require("@grpc/grpc-js");
const loader = require("@grpc/proto-loader");

const [port, method, count] = process.argv.slice(2);
const proto = fileURLToPath(new URL("../benchmarks/bench.proto", import.meta.url));
const { Blaster } = grpc.loadPackageDefinition(loader.loadSync(proto)).bench;
const client = new Blaster(`127.0.0.1:${port}`, grpc.credentials.createInsecure());
const call = client[method]({ count: Number(count) });
call.on("data", (reading) => process.stdout.write(`${JSON.stringify(reading)}\n`));
call.on("end", () => client.close());
