// Serves a built site as the plainest static host would: files under a sub-path, no header beyond the type. For tests
// that end it as a process. Arguments: SUB_PATH PORT FOLDER..., where a file is taken from the first folder that has it.
import { createReadStream } from 'node:fs';
import { createServer } from 'node:http';
import { findFile, typeOf } from './static-files.js';

const [subPath = '/', port = '0', ...folders] = process.argv.slice(2);

/** @param {string} path Path of the address, with its leading slash. */
function find(path) {
  if (!path.startsWith(subPath)) return null;
  const inside = decodeURIComponent(path.slice(subPath.length));
  for (const folder of folders) {
    const found = findFile(folder, inside);
    if (found !== null) return found;
  }
  return null;
}

const server = createServer((request, response) => {
  const found = find(new URL(request.url ?? '/', 'http://host').pathname);
  if (found === null) {
    response.writeHead(404).end();
    return;
  }
  response.writeHead(200, { 'Content-Type': typeOf(found.file), 'Content-Length': found.bytes });
  createReadStream(found.file).pipe(response);
});
server.listen(Number(port), '127.0.0.1', () => {
  const address = server.address();
  if (address !== null && typeof address === 'object')
    console.log(`http://127.0.0.1:${address.port}${subPath}`);
});
