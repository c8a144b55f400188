// What @grpc/reflection serves for the .proto files named, below the folder named first, as one line of JSON.
// Recorded in tests/protocols/wire/acme/node-*.json.
import { createRequire } from "node:module";
import process from "node:process";

const require = createRequire(`${process.env.RTUI_NODE_MODULES}/`);
const loader = require("@grpc/proto-loader");
const { ReflectionV1Implementation } = require("@grpc/reflection/build/src/implementations/reflection-v1.js");

console.warn = () => {};
const [folder, ...files] = process.argv.slice(2);
const server = new ReflectionV1Implementation(loader.loadSync(files, { includeDirs: [folder] }), {});
const services = server.listServices("").service.map((service) => service.name);
const found = services.flatMap((name) => server.fileContainingSymbol(name).fileDescriptorProto);
const descriptors = [...new Set(found.map((bytes) => Buffer.from(bytes).toString("base64")))];
console.log(JSON.stringify({ services, descriptors }));
