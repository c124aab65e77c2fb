// The service worker: keeps the page for when there is no network, and isolates it, so that
// WebAssembly may use threads on hosts that can't send the headers for that.

const RELOADED = "tfflow: reloaded to be isolated";
const PATIENCE = 10_000; // ms until the page goes on without

/**
 * Waits until the service worker sees all that the page loads. May reload the page, once.
 *
 * @returns {Promise<string>} why the page won't work offline; empty if it will
 */
export async function prepareOffline() {
  const container = navigator.serviceWorker;
  if (!container) return "the browser allows it on https:// and localhost only";
  try {
    const { active } = await container.register("service_worker.js");
    // A reload that passes the caches by passes the worker by too; then it has to be asked.
    active?.postMessage("claim");
    await controlled(container);
  } catch (error) {
    return error.message;
  }
  if (!self.crossOriginIsolated && isFirstLoad()) {
    location.reload();
    await new Promise(() => {}); // the page ends here
  }
  return "";
}

/** Whether it was not reloaded yet; false where that can't be kept, as it would reload for ever. */
function isFirstLoad() {
  try {
    const first = !sessionStorage.getItem(RELOADED);
    sessionStorage.setItem(RELOADED, "yes"); // some browsers never isolate
    return first;
  } catch {
    return false;
  }
}

function controlled(container) {
  if (container.controller) return Promise.resolve();
  return new Promise((resolve, reject) => {
    container.addEventListener("controllerchange", resolve, { once: true });
    setTimeout(() => reject(new Error("the service worker does not start")), PATIENCE);
  });
}
