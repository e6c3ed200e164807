// A Node.js server as people run it, with Node's own keep-alive; with KEEP_ALIVE a connection ends that many ms after a
// response (keepAliveTimeout will not do: newer versions of Node add a second to it). GET / answers; POST /count counts
// each body, and GET /counts says how often each came.
const http = require("http");

const counts = {};
const server = http.createServer((request, response) => {
  let body = "";
  if (process.env.KEEP_ALIVE)
    response.on("finish", () => request.socket.setTimeout(Number(process.env.KEEP_ALIVE)));
  request.on("data", (chunk) => (body += chunk));
  request.on("end", () => {
    if (request.method === "POST") counts[body] = (counts[body] || 0) + 1;
    response.end(request.url === "/counts" ? JSON.stringify(counts) : "ok");
  });
});
server.listen(Number(process.env.PORT), "127.0.0.1");
