// The newest files where there is a network, else those of the last time. All that passes is kept:
// the network's file, and of LiteRT.js's three builds the one that this browser takes.

const CACHE = "tfflow";
// What the page loads before this worker sees it. (A test compares it with the folder.)
const PAGE = [
  "./",
  "index.html",
  "app.js",
  "arrows.js",
  "colors.js",
  "confidence.js",
  "flow_worker.js",
  "latest.js",
  "letterbox.js",
  "network.js",
  "offline.js",
  "pipeline.js",
  "resize.js",
  "scene.js",
  "self_check.js",
  "shipped_model.js",
  "sources.js",
  "statistics.js",
  "style.css",
  "view.js",
  "worker.js",
];

self.addEventListener("install", (event) => {
  self.skipWaiting();
  event.waitUntil(caches.open(CACHE).then((cache) => cache.addAll(PAGE)));
});

self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));

self.addEventListener("message", (event) => event.waitUntil(self.clients.claim()));

self.addEventListener("fetch", (event) => {
  const { request } = event;
  const own = new URL(request.url).origin === self.location.origin;
  if (request.method === "GET" && own) event.respondWith(answer(event));
});

async function answer(event) {
  const { request } = event;
  const cache = await caches.open(CACHE);
  let response;
  try {
    response = await fetch(request);
  } catch (error) {
    // A page's settings are in its address; the versions of files are too.
    const kept = await cache.match(request, { ignoreSearch: request.mode === "navigate" });
    if (!kept) throw error;
    return isolated(kept);
  }
  if (response.status !== 200) return response;
  event.waitUntil(keep(cache, request, response.clone()));
  return isolated(response);
}

/** In the place of its last version. */
async function keep(cache, request, response) {
  await cache.delete(request, { ignoreSearch: true });
  await cache.put(request, response);
}

// Memory shared by threads is for pages that no other page can reach into.
function isolated(response) {
  const headers = new Headers(response.headers);
  headers.set("Cross-Origin-Opener-Policy", "same-origin");
  headers.set("Cross-Origin-Embedder-Policy", "require-corp");
  headers.set("Cross-Origin-Resource-Policy", "same-origin");
  return new Response(response.body, { status: response.status, headers });
}
