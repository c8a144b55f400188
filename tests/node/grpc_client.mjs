// @grpc/grpc-js on our server, with the schema of its .proto file: prints the replies as JSON lines, then the status.
//   node grpc_client.mjs FOLDER 127.0.0.1:PORT Service/Method REQUEST…        (several requests: a stream of them)
import { createRequire } from "node:module";

const require = createRequire(`${process.env.RTUI_NODE_MODULES}/`);
const grpc = require("@grpc/grpc-js");
const loader = require("@grpc/proto-loader");

const [folders, address, path, ...requests] = process.argv.slice(2);
const [service, method] = path.split("/");
const options = { includeDirs: folders.split(":"), longs: String, enums: String, bytes: String };
const { demo } = grpc.loadPackageDefinition(loader.loadSync("demo.proto", options));
const client = new demo[service](address, grpc.credentials.createInsecure(), { "grpc.default_compression_algorithm": 0 });
const { requestStream, responseStream } = demo[service].service[method];

const print = (value) => console.log(JSON.stringify(value));
const ended = ({ code, details }) => { print({ code, details }); client.close(); };
const answered = (error, reply) => { if (reply) print(reply); ended(error ?? { code: 0, details: "" }); };

const arguments_ = requestStream ? [] : [JSON.parse(requests[0])];
const call = client[method](...arguments_, ...(responseStream ? [] : [answered]));
if (responseStream) call.on("data", print).on("status", ended).on("error", () => {});
if (requestStream) {
  for (const request of requests) call.write(JSON.parse(request));
  call.end();
}
