// A Node.js server as people run it: keep-alive ends KEEP_ALIVE ms after a response. GET / answers; POST /count counts
// each body once, and GET /counts says how often each came.
const http = require("http");

const counts = {};
const server = http.createServer((request, response) => {
  let body = "";
  request.on("data", (chunk) => (body += chunk));
  request.on("end", () => {
    if (request.method === "POST") counts[body] = (counts[body] || 0) + 1;
    response.end(request.url === "/counts" ? JSON.stringify(counts) : "ok");
  });
});
server.keepAliveTimeout = Number(process.env.KEEP_ALIVE);
server.listen(Number(process.env.PORT), "127.0.0.1");
