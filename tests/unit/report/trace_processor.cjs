// Perfetto's trace processor outside of a browser: node trace_processor.cjs DIRECTORY < requests > replies
//
// DIRECTORY holds engine_bundle.js and the wasm files of Perfetto's UI. The bundle is written for a web worker, so it
// gets the few things of one that it asks for. Requests and replies are TraceProcessorRpcStream messages.
'use strict';
const fs = require('fs'), path = require('path'), vm = require('vm');

const directory = process.argv[2];
const told = text => fs.writeSync(2, text + '\n');
class XMLHttpRequest {
  open(_method, name) { this.name = path.basename(String(name)); }
  send() { this.response = new Uint8Array(fs.readFileSync(path.join(directory, this.name))).buffer; }
}
const worker = {
  console: {log: told, warn: told, error: told}, location: {href: 'http://localhost/'}, WorkerGlobalScope: class {},
  TextDecoder, TextEncoder, XMLHttpRequest, URL, performance, crypto, setTimeout, clearTimeout,
};
worker.self = worker;
vm.createContext(worker);
vm.runInContext(fs.readFileSync(path.join(directory, 'engine_bundle.js'), 'utf8'), worker);

const port = {
  postMessage(reply) {
    for (let sent = 0; sent < reply.length;) sent += fs.writeSync(1, reply, sent);
  },
};
worker.self.onmessage({data: port});
// The wasm is compiled by now; the promises that wait for it are kept before the next turn of the loop.
setImmediate(() => {
  const requests = fs.readFileSync(0), Bytes = vm.runInContext('Uint8Array', worker);
  port.onmessage({data: new Bytes(requests.buffer, requests.byteOffset, requests.length)});
});
