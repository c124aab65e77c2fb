// Where frames come from. A source has start(onFrame), which calls back for each new frame and says
// whether it follows none; grab(), which gives the newest as an ImageBitmap; resume(), after the
// background; and stop().

import { FRAMES_PER_SECOND, Scene } from "./scene.js";

/** The synthetic scene, at a camera's thirty frames a second. */
export class SceneSource {
  label = "Demo scene";
  #scene = new Scene();
  #number = 0;
  #timer;

  start(onFrame) {
    this.#timer = setInterval(() => {
      this.#number++;
      onFrame(false);
    }, 1000 / FRAMES_PER_SECOND);
  }

  async grab() {
    return this.#scene.frame(this.#number);
  }

  resume() {}

  stop() {
    clearInterval(this.#timer);
  }
}

class VideoSource {
  video = Object.assign(document.createElement("video"), {
    muted: true, // or the browser may refuse to start it
    playsInline: true,
    className: "source",
  });
  #running = false;
  #lastTime = -1;

  constructor(label) {
    this.label = label;
    // Some browsers decode only what is in the page.
    document.body.append(this.video);
  }

  start(onFrame) {
    this.#running = true;
    const { video } = this;
    const next = (now, metadata) => {
      if (!this.#running) return;
      const time = metadata?.mediaTime ?? video.currentTime;
      if (time !== this.#lastTime && video.readyState >= video.HAVE_CURRENT_DATA) {
        onFrame(time < this.#lastTime); // the clip began anew
        this.#lastTime = time;
      }
      wait();
    };
    // Once for each frame of the video; where that is missing, the screen's rate will do.
    const wait = () =>
      video.requestVideoFrameCallback ? video.requestVideoFrameCallback(next) : requestAnimationFrame(next);
    wait();
  }

  grab() {
    return createImageBitmap(this.video);
  }

  resume() {
    // It may be refused, and then goes on as it is: the next touch of a button starts another.
    if (this.#running) this.video.play().catch(() => {});
  }

  stop() {
    this.#running = false;
    this.video.pause();
    this.video.remove();
  }
}

/** A video file, over and over. */
export class ClipSource extends VideoSource {
  #url;

  /** @throws {Error} if the browser can't play it */
  static async open(file) {
    const source = new ClipSource(file.name);
    const { video } = source;
    source.#url = URL.createObjectURL(file);
    video.loop = true;
    video.src = source.#url;
    try {
      await video.play();
      if (!video.videoWidth) throw new Error("no picture in it");
    } catch (error) {
      const reason = video.error?.message || error.message;
      source.stop();
      throw new Error(
        `${file.name} can't be played (${reason}). Choose another clip: MP4 with H.264 and WebM with ` +
          "VP8 or VP9 play in most browsers.",
      );
    }
    return source;
  }

  stop() {
    super.stop();
    URL.revokeObjectURL(this.#url);
  }
}

/** What a browser's error of getUserMedia means for the person before it. */
const CAMERA_ERRORS = {
  NotAllowedError:
    "The camera was not allowed. Allow it for this page in the browser's settings, mostly behind the " +
    "icon beside the address, and press Camera again.",
  NotFoundError: "No camera was found. Connect one and press Camera again, or choose a clip.",
  NotReadableError:
    "The camera can't be read; another program may be using it. Close that one and press Camera again.",
};

export class CameraSource extends VideoSource {
  #stream;

  /**
   * @param {"environment"|"user"} facing the back camera or the front one, where there are two
   * @param {(message: string) => void} onEnd called if the camera goes away
   * @throws {Error} says what to do
   */
  static async open(facing, onEnd) {
    if (!navigator.mediaDevices) {
      throw new Error(
        "Browsers give the camera to pages from https:// and from localhost only; this one is from " +
          `${location.origin}. Open it from one of those, or choose a clip.`,
      );
    }
    let stream;
    try {
      stream = await navigator.mediaDevices.getUserMedia({
        video: {
          facingMode: facing,
          width: { ideal: 640 },
          height: { ideal: 480 },
          frameRate: { ideal: 30 },
        },
      });
    } catch (error) {
      throw new Error(
        CAMERA_ERRORS[error.name] ?? `The camera can't be opened: ${error.message || error.name}.`,
      );
    }
    const source = new CameraSource("Camera");
    source.#stream = stream;
    stream.getVideoTracks()[0].onended = () =>
      onEnd("The camera has gone: unplugged, or taken by another program. Press Camera to try again.");
    source.video.srcObject = stream;
    try {
      await source.video.play();
    } catch (error) {
      source.stop();
      throw new Error(`The camera gives no picture: ${error.message || error.name}. Try again.`);
    }
    return source;
  }

  stop() {
    super.stop();
    for (const track of this.#stream.getTracks()) {
      track.onended = null;
      track.stop();
    }
  }
}
