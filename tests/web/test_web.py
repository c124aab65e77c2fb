"""The web demo: its JavaScript in Node.js, and the page in headless Chromium with a fake camera.

Node.js, LiteRT.js, playwright-core and Chromium are installed by web_demo/install.sh; without them
the tests are skipped.
"""

import importlib.util
import json
import os
import pathlib
import re
import shutil
import signal
import ssl
import subprocess
import sys
import threading
import time
import urllib.request

import cv2
import numpy as np
import pytest
from PIL import Image

from tfflow.data import SceneConfig
from tfflow.data.scenes import render, sample_scene
from tfflow.models import FlowStream
from tfflow.models.prediction import resize
from tfflow.tflite import FlowInterpreter
from tfflow.tflite.app_assets import app_flow
from tfflow.visualization import flow_to_image

DEMO = pathlib.Path(__file__).parents[2] / "web_demo"
TESTS = pathlib.Path(__file__).parent
INSTALL = "install: web_demo/install.sh"
CAMERA = SceneConfig(height=240, width=320, textures=24, shapes=48)
NODE = 20
DOUBTFUL = 0.35  # confidence.js
CLIP_SIZE = (333, 187)  # width, height


@pytest.fixture(scope="module")
def node():
    program = shutil.which("node")
    version = subprocess.run(
        [program or "true", "--version"], capture_output=True, text=True, check=False, timeout=20
    ).stdout
    if not version or int(version.lstrip("v").split(".")[0]) < NODE:
        pytest.skip(f"Node.js {NODE} or newer is needed; found {version.strip() or 'none'}")
    return program


@pytest.fixture(scope="module")
def make_site():
    """The module web_demo/make_site.py."""
    if not (DEMO / "node_modules" / "@litertjs" / "core").is_dir():
        pytest.skip(f"no LiteRT.js; {INSTALL}")
    spec = importlib.util.spec_from_file_location("make_site", DEMO / "make_site.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def site(make_site, tmp_path_factory):
    return make_site.make_site(tmp_path_factory.mktemp("host") / "site")


@pytest.fixture(scope="module")
def settings(node, site, tmp_path_factory):
    """What browser.mjs is told."""
    chromium = next(filter(None, map(shutil.which, ("chromium", "google-chrome"))), None)
    if not chromium or not (DEMO / "node_modules" / "playwright-core").is_dir():
        pytest.skip(f"no {'playwright-core' if chromium else 'Chromium'}; {INSTALL}")
    output = tmp_path_factory.mktemp("web")
    models = json.loads((site / "models" / "models.json").read_text())["models"]
    first = models[0]["files"][0]
    write_camera(output / "camera.y4m")
    return {
        "python": sys.executable,
        "chromium": chromium,
        "site": str(site),
        "output": str(output),
        "networks": [model["name"] for model in models],
        "model": first["file"],
        # Of the newest frame: it is packed, or encoded.
        "tensors": len(first["streaming"]["encode"]) if "streaming" in first else 1,
        "camera": str(output / "camera.y4m"),
        "camera_size": [CAMERA.width, CAMERA.height],
        "doubtful": write_doubtful(site, output),
    }


def write_camera(path):
    """What Chromium's fake camera shows, over and over: a scene there and back."""
    frames = render(sample_scene(CAMERA, 3, 0), frames=12).images
    with path.open("wb") as file:
        file.write(f"YUV4MPEG2 W{CAMERA.width} H{CAMERA.height} F15:1 Ip A1:1 C420jpeg\n".encode())
        for frame in (*frames, *frames[-2:0:-1]):  # no frame twice in turn
            file.write(b"FRAME\n" + cv2.cvtColor(frame, cv2.COLOR_RGB2YUV_I420).tobytes())


def write_doubtful(site, folder):
    """A pair of which much can't be matched, and where RillFlow's int8 file trusts its flow."""
    images = [np.array(Image.open(site / "models" / f"golden_image{i}.png")) for i in (1, 2)]
    noise = np.random.default_rng(7).integers(0, 256, (160, 200, 3), dtype=np.uint8)
    images[1][100:260, 150:350] = noise
    paths = [str(folder / f"doubtful{i}.png") for i in (1, 2)]
    for image, path in zip(images, paths):
        Image.fromarray(image).save(path)
    interpreter = FlowInterpreter(site / "models" / "rillflow_int8.tflite", threads=1)
    stream = FlowStream(interpreter, confidence=True)  # as the page runs it
    for image in images:
        stream.next(image)
    sure = stream.confidence >= DOUBTFUL
    (folder / "sure.txt").write_text("".join("01"[pixel] for pixel in sure.astype(int).flat))
    return {
        "networks": ["rillflow", "lightflow"],
        "images": paths,
        "sure": str(folder / "sure.txt"),
    }


def write_clip(path):
    """A textured plane that goes to the right, 4 px a frame."""
    av = pytest.importorskip("av", reason="no PyAV; install: pip install tfflow[video]")
    width, height = CLIP_SIZE
    config = SceneConfig(height=256, width=512, textures=24, shapes=48)
    plane = render(sample_scene(config, 5, 0), frames=1).images[0]
    with av.open(str(path), "w") as clip:
        stream = clip.add_stream("libvpx", rate=15)
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        stream.bit_rate = 2_000_000
        for number in range(40):
            left = config.width - width - 4 * number
            picture = np.ascontiguousarray(plane[:height, left : left + width])
            clip.mux(stream.encode(av.VideoFrame.from_ndarray(picture)))
        clip.mux(stream.encode())


def run_node(node, script, environment, timeout):
    """Runs a file of tests; fails with its report."""
    process = subprocess.Popen(
        [node, "--test", "--test-reporter=tap", str(TESTS / script)],
        env={**os.environ, **environment},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    # Browsers and servers are children of Node.js: when it hangs, they end with it.
    timer = threading.Timer(timeout, os.killpg, (process.pid, signal.SIGKILL))
    timer.start()
    report, _ = process.communicate()
    timer.cancel()
    assert process.returncode != -signal.SIGKILL, f"{script} took over {timeout} s:\n{report}"
    assert process.returncode == 0, report
    passed = re.search(r"^# pass (\d+)$", report, re.MULTILINE)
    assert passed and int(passed[1]) > 0, report
    print(report)


def test_logic(node, tmp_path):
    random = np.random.default_rng(20)
    angle = np.arange(64) * (2 * np.pi / 64)
    flow = np.concatenate(
        [
            random.normal(0, 5, (500, 2)),
            6 * np.stack([np.cos(angle), np.sin(angle)], axis=-1),
            [(0, 0), (-0.0, -0.0), (3, 0), (3, -0.0), (-3, 0), (-3, -0.0), (0, 3), (0, -3), (8, 0)],
        ]
    )
    times = random.gamma(2, 10, 37)
    trust = random.uniform(size=(6, 7, 1)).astype(np.float32)
    golden = {
        "flow": flow.tolist(),
        "max_flow": 8.0,
        "colors": flow_to_image(flow[None], max_flow=8.0)[0].tolist(),
        "confidence": {
            "size": trust.shape[:2],
            "values": trust[..., 0].tolist(),
            "resized": resize(trust[None], (24, 28))[0, ..., 0].tolist(),
        },
        "times": times.tolist(),
        "percentiles": {p: float(np.percentile(times, p)) for p in (0, 10, 50, 90, 100)},
    }
    (tmp_path / "golden.json").write_text(json.dumps(golden))
    environment = {"TFFLOW_WEB_GOLDEN": str(tmp_path / "golden.json")}
    run_node(node, "logic.test.mjs", environment, timeout=60)


def test_page(node, settings):
    run_node(node, "page.test.mjs", {"TFFLOW_WEB_TEST": json.dumps(settings)}, timeout=600)


@pytest.mark.slow
def test_conditions(node, settings):
    output = pathlib.Path(settings["output"])
    models = pathlib.Path(settings["site"]) / "models"
    write_clip(output / "clip.webm")
    pair = [np.asarray(Image.open(models / f"golden_image{i}.png")) for i in (1, 2)]
    flows = {}
    for model in json.loads((models / "models.json").read_text())["models"]:
        file = next(file for file in model["files"] if file["quantization"] == "int8")
        if tuple(file["size"]) == pair[0].shape[:2]:  # else the browser scales, not tfflow
            flows[model["name"]] = str(output / f"{model['name']}.bin")
            flow = app_flow(FlowInterpreter(models / file["file"], threads=1), *pair)
            pathlib.Path(flows[model["name"]]).write_bytes(flow.astype("<f4").tobytes())
    assert flows
    settings = {
        **settings,
        "clip": str(output / "clip.webm"),
        "clip_size": CLIP_SIZE,
        "flows": flows,
    }
    run_node(node, "conditions.test.mjs", {"TFFLOW_WEB_TEST": json.dumps(settings)}, timeout=1200)


def test_no_listed_file_is_missing(site):
    """The page's modules load each other and the network by these names."""
    for module in site.glob("*.js"):
        for name in re.findall(r'(?:from|import\(|URL\()\s*"\./([^"]+)"', module.read_text()):
            assert (site / name).exists(), f"{module.name} loads {name}"


def test_site_refuses_a_folder_of_something_else(make_site, tmp_path):
    (tmp_path / "thesis.tex").write_text("all of it")
    with pytest.raises(make_site.SiteError, match=r"holds other files\. Give a new"):
        make_site.make_site(tmp_path)
    assert (tmp_path / "thesis.tex").is_file()
    another = tmp_path / "another site"
    another.mkdir()
    (another / "service_worker.js").write_text("of another page")
    with pytest.raises(make_site.SiteError, match=r"holds other files"):
        make_site.make_site(another)
    sources = list((DEMO / "page").iterdir())
    with pytest.raises(make_site.SiteError, match=r"holds other files"):
        make_site.make_site(DEMO / "page")
    assert sources == list((DEMO / "page").iterdir())


def test_site_is_made_again(make_site, site):
    (site / "app.js").unlink()
    (site / "old.js").write_text("of an earlier version")
    (site / ".git").mkdir()
    (site / ".git" / "HEAD").write_text("ref: refs/heads/main")
    (site / "CNAME").write_text("flow.example")
    made = make_site.make_site(site)
    assert (site / ".git" / "HEAD").is_file() and (site / "CNAME").read_text() == "flow.example"
    (site / "CNAME").unlink()
    shutil.rmtree(site / ".git")
    with pytest.raises(make_site.SiteError, match="is a file"):
        make_site.make_site(made / "app.js")
    assert (site / "app.js").is_file()
    assert not (site / "old.js").exists()
    assert [path.name for path in site.parent.iterdir()] == [site.name]


def test_served_to_a_phone_by_https(site, tmp_path):
    """With a certificate made on the spot, and the headers that threads need."""
    if not shutil.which("openssl"):
        pytest.skip("no openssl")
    sys.path.insert(0, str(DEMO))
    try:
        import serve
    finally:
        sys.path.remove(str(DEMO))
    certificate, key = serve.certificate(["127.0.0.1", "phone.lan"], tmp_path / "certificate")
    again = serve.certificate(["127.0.0.1", "phone.lan"], tmp_path / "certificate")
    assert again == (certificate, key)
    made = certificate.read_bytes()
    long_ago = time.time() - (serve.DAYS - 1) * 86400
    os.utime(certificate, (long_ago, long_ago))
    serve.certificate(["127.0.0.1", "phone.lan"], tmp_path / "certificate")
    assert certificate.read_bytes() != made
    made = certificate.read_bytes()
    assert serve.certificate(["192.0.2.7"], tmp_path / "certificate")[0].read_bytes() != made
    server = subprocess.Popen(
        [sys.executable, DEMO / "serve.py", "--host", "0.0.0.0", "--port", "0", "--site", site],
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        address = server.stdout.readline().strip()
        assert re.fullmatch(r"https://[\d.]+:\d+", address)
        # What the browser's user says yes to: this very certificate.
        context = ssl.create_default_context(cafile=DEMO / "certificate" / "certificate.pem")
        with urllib.request.urlopen(f"{address}/index.html", context=context, timeout=20) as page:
            assert page.headers["Cross-Origin-Opener-Policy"] == "same-origin"
            assert b"<title>tfflow" in page.read()
    finally:
        server.kill()
        server.wait()


def test_a_folder_without_a_site_is_not_served(tmp_path):
    command = [sys.executable, DEMO / "serve.py", "--port", "0", "--site", tmp_path]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 1 and f"serve: {tmp_path} holds no site" in done.stderr


def test_workflow_makes_the_site_as_the_readme_says():
    workflow = (DEMO.parent / ".github/workflows/pages.yml").read_text()
    for line in ("web_demo/install.sh --page", "web_demo/make_site.py -o ", "deploy-pages"):
        assert line in workflow
