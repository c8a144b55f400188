// A gRPC server that nobody here wrote: Google's for Node, with its reflection and its health service.
//   node grpc_peer.mjs [--tls KEY CERT]     prints {"port": …}; "shutdown" on stdin ends it politely, the end of stdin at once
import { createRequire } from "node:module";
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const require = createRequire(`${process.env.RTUI_NODE_MODULES}/`);
const grpc = require("@grpc/grpc-js");
const loader = require("@grpc/proto-loader");
const protobuf = require("protobufjs");
const { ReflectionService } = require("@grpc/reflection");
const { HealthImplementation, protoPath } = require("grpc-health-check");

const folder = fileURLToPath(new URL("../protocols/foreign", import.meta.url));
const definition = loader.loadSync("calls.proto", { includeDirs: [folder], longs: String });
const { Calls } = grpc.loadPackageDefinition(definition).foreign.v1;
const rpc = protobuf.parse(`syntax = "proto3"; package google.rpc;
  message Any { string type_url = 1; bytes value = 2; }
  message Status { int32 code = 1; string message = 2; repeated Any details = 3; }
  message ErrorInfo { string reason = 1; string domain = 2; map<string, string> metadata = 3; }
  message FieldViolation { string field = 1; string description = 2; }
  message BadRequest { repeated FieldViolation field_violations = 1; }`).root;
let cancels = 0;

function encoded(name, fields) {
  const type = rpc.lookupType(`google.rpc.${name}`);
  return Buffer.from(type.encode(type.fromObject(fields)).finish());
}

function any(name, fields) {
  return { typeUrl: `type.googleapis.com/google.rpc.${name}`, value: encoded(name, fields) };
}

function failure({ code, message }) {
  const details = [
    any("ErrorInfo", { reason: "TOO_SMALL", domain: "foreign.v1", metadata: { least: "3" } }),
    any("BadRequest", { fieldViolations: [{ field: "items[2].price", description: "too low" }] }),
  ];
  const metadata = new grpc.Metadata();
  metadata.set("grpc-status-details-bin", encoded("Status", { code, message, details }));
  metadata.set("x-last", "trailer");
  return Object.assign(new Error(message), { code, details: message, metadata });
}

function heard(call) {
  const pairs = Object.entries(call.metadata.getMap()).map(([name, value]) => [
    name,
    Buffer.isBuffer(value) ? value.toString("base64") : value,
  ]);
  const deadline = call.getDeadline();
  const left = deadline === Infinity ? 0 : (deadline - Date.now()) / 1000;
  return { metadata: Object.fromEntries(pairs), deadline: left };
}

const methods = {
  Echo: (call, reply) => reply(null, call.request),
  async Count(call) {
    const text = "x".repeat(call.request.size ?? 0);
    for (let number = 1; number <= call.request.count; number++)
      if (!call.write({ text, bigNumber: number })) await new Promise((resolve) => call.once("drain", resolve));
    call.end();
  },
  Gather(call, reply) {
    const texts = [];
    call.on("data", (note) => texts.push(note.text ?? ""));
    call.on("end", () => reply(null, { count: texts.length, texts }));
  },
  Converse(call) {
    call.on("data", (note) => call.write(note));
    call.on("end", () => {
      call.write({ text: "bye" });
      call.end();
    });
  },
  Tell(call, reply) {
    const first = new grpc.Metadata();
    first.set("x-first", "initial");
    first.set("x-first-bin", Buffer.from([0, 255]));
    call.sendMetadata(first);
    const last = new grpc.Metadata();
    last.set("x-last", "trailer");
    last.set("x-last-bin", Buffer.from([254, 1]));
    reply(null, heard(call), last);
  },
  Fail: (call, reply) => reply(failure(call.request)),
  FailLate(call) {
    for (let number = 1; number <= call.request.after; number++) call.write({ bigNumber: number });
    call.emit("error", failure(call.request));
  },
  Hang(call) {
    call.on("cancelled", () => cancels++);
    call.write(call.request);
  },
  Cancelled: (call, reply) => reply(null, { count: cancels }),
};

function credentials([flag, key, cert]) {
  if (flag !== "--tls") return grpc.ServerCredentials.createInsecure();
  return grpc.ServerCredentials.createSsl(null, [{ private_key: readFileSync(key), cert_chain: readFileSync(cert) }]);
}

const server = new grpc.Server({ "grpc.max_receive_message_length": 64 << 20 });
server.addService(Calls.service, methods);
new HealthImplementation({ "": "SERVING", "foreign.v1.Calls": "NOT_SERVING" }).addToServer(server);
new ReflectionService({ ...definition, ...loader.loadSync(protoPath) }).addToServer(server);
server.bindAsync("127.0.0.1:0", credentials(process.argv.slice(2)), (error, port) => {
  if (error) throw error;
  console.log(JSON.stringify({ port }));
});
createInterface({ input: process.stdin })
  .on("line", () => server.tryShutdown(() => console.log("{}")))
  .on("close", () => process.exit(0));
