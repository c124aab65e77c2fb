// The network that the site was made with, and its golden pair: models/models.json lists them.

const FOLDER = new URL("./models/", import.meta.url);
const REMEDY = "Make the site again (python web_demo/make_site.py) and reload the page.";

/** A .tflite's first bytes: where its root table is, then its kind. */
const isTflite = (bytes) => String.fromCharCode(...bytes.subarray(4, 8)) === "TFL3";

/**
 * @returns {Promise<{name, file, golden: {images, flow, step}}>} the file's bytes, and the golden
 *     pair: two pictures as Blobs, and the flow at every step-th pixel
 * @throws {Error} says which file is wrong, and how
 */
export async function loadShippedModel(folder = FOLDER) {
  const list = await read("models.json", folder);
  let model;
  try {
    model = JSON.parse(new TextDecoder().decode(list)).models[0];
  } catch {
    throw new Error(`models/models.json: expected a list of networks; got ${what(list)}. ${REMEDY}`);
  }
  const [file, flow, ...images] = await Promise.all(
    [model.file, model.golden_flow, "golden_image1.png", "golden_image2.png"].map((name) =>
      read(name, folder),
    ),
  );
  if (!isTflite(file)) {
    throw new Error(`models/${model.file}: expected a .tflite file; got ${what(file)}. ${REMEDY}`);
  }
  await checkHash(model, file);
  return {
    name: model.file,
    file,
    golden: {
      images: images.map((image) => new Blob([image], { type: "image/png" })),
      flow: new Float32Array(flow.buffer, 0, flow.byteLength >> 2), // little-endian, as all browsers
      step: model.golden_step,
    },
  };
}

async function read(name, folder) {
  let response;
  try {
    response = await fetch(new URL(name, folder));
  } catch (error) {
    throw new Error(
      `models/${name} can't be loaded (${error.message}). Is the server running, is there a network?`,
    );
  }
  if (!response.ok) {
    throw new Error(`models/${name}: the server answers ${response.status}. ${REMEDY}`);
  }
  return new Uint8Array(await response.arrayBuffer());
}

async function checkHash({ file: name, sha256 }, file) {
  // Browsers hash on https and localhost only; elsewhere the file is taken as it is.
  if (!globalThis.crypto?.subtle) return;
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", file));
  const found = Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
  if (found !== sha256) {
    throw new Error(
      `models/${name} is damaged or of another version: ${file.length} bytes of SHA-256 ` +
        `${found.slice(0, 12)}…, expected ${sha256.slice(0, 12)}…. ${REMEDY}`,
    );
  }
}

function what(bytes) {
  if (!bytes.length) return "an empty file";
  const start = new TextDecoder().decode(bytes.subarray(0, 200)).trim();
  if (/^<(!doctype|html)/i.test(start)) return "a web page, as servers send for a missing file";
  return `${bytes.length} bytes of something else`;
}
