// The networks that the site was made with, and the golden pair: models/models.json lists them.

const FOLDER = new URL("./models/", import.meta.url);
const REMEDY = "Make the site again (python web_demo/make_site.py) and reload the page.";

/** A .tflite's first bytes: where its root table is, then its kind. */
const isTflite = (bytes) => String.fromCharCode(...bytes.subarray(4, 8)) === "TFL3";

/** GPUs compute in float, and rather from floats; the processor gains by integers. */
const FORMS = { webgpu: ["float16", "float32"], wasm: ["int8"] };

/**
 * @returns {Promise<string[]>} the networks' names, the first one is the default
 * @throws {Error} says what is wrong with the list
 */
export async function shippedModels(folder = FOLDER) {
  return (await readList(folder)).models.map(({ name }) => name);
}

/**
 * @param {string} name of a network; the first one if there is none of this name
 * @param {"webgpu"|"wasm"} unit what shall run it
 * @returns {Promise<{name, file, golden: {images, truth, flow, step}}>} the file's name and bytes,
 *     and the golden pair: two pictures as Blobs, the true flow and the file's own at every step-th
 *     pixel
 * @throws {Error} says which file is wrong, and how
 */
export async function loadShippedModel(name, unit, folder = FOLDER) {
  const { golden, models } = await readList(folder);
  const { files } = models.find((model) => model.name === name) ?? models[0];
  const form = FORMS[unit].find((form) => files.some((file) => file.quantization === form));
  const model = files.find((file) => file.quantization === form) ?? files[0];
  // In the address, so that no cache gives another version's file.
  const version = `?${model.sha256.slice(0, 12)}`;
  const [bytes, flow, truth, ...images] = await Promise.all([
    read(model.file, folder, version),
    read(model.golden_flow, folder, version),
    ...[golden.truth, golden.image1, golden.image2].map((name) => read(name, folder)),
  ]);
  if (!isTflite(bytes)) {
    throw new Error(`models/${model.file}: expected a .tflite file; got ${what(bytes)}. ${REMEDY}`);
  }
  await checkHash(model, bytes);
  return {
    name: model.file,
    file: bytes,
    golden: {
      images: images.map((image) => new Blob([image], { type: "image/png" })),
      flow: floats(flow),
      truth: floats(truth),
      step: golden.step,
    },
  };
}

/** Little-endian, as all browsers. */
const floats = (bytes) => new Float32Array(bytes.buffer, 0, bytes.byteLength >> 2);

async function readList(folder) {
  const content = await read("models.json", folder);
  try {
    const list = JSON.parse(new TextDecoder().decode(content));
    if (list.golden.step && list.models[0].files[0].file) return list;
  } catch {
    // said below
  }
  throw new Error(`models/models.json: expected a list of networks; got ${what(content)}. ${REMEDY}`);
}

async function read(name, folder, version = "") {
  let response;
  try {
    response = await fetch(new URL(name + version, folder));
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
