package org.tfflow.litert;

import android.content.Context;
import android.graphics.Bitmap;
import android.graphics.BitmapFactory;
import com.google.ai.edge.litert.Accelerator;
import java.io.ByteArrayInputStream;
import java.io.File;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.SequenceInputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.json.JSONArray;
import org.json.JSONException;
import org.json.JSONObject;
import org.tfflow.core.detection.NonMaximumSuppression;
import org.tfflow.core.image.Fit;
import org.tfflow.core.image.RgbImage;
import org.tfflow.core.network.AttemptLog;
import org.tfflow.core.network.EngineLadder;
import org.tfflow.core.network.FlowEngine;
import org.tfflow.core.network.FlowEngineException;
import org.tfflow.core.network.FlowPredictor;
import org.tfflow.core.network.LatencyStatistics;
import org.tfflow.core.network.NetworkFlowEngine;
import org.tfflow.core.network.SelfCheck;
import org.tfflow.core.network.StreamingFlowEngine;
import org.tfflow.core.pipeline.DetectionPipeline;

/**
 * The networks of an app: those in its assets, where {@code tfflow export --android-assets} puts
 * them, and those that its user has added.
 */
public final class FlowModels {
    private static final String LIST = "models.json";
    private static final int MOST_OBJECTS = 100;

    /** A network and where its files lie. */
    private static final class Entry {
        final ModelList.Flow flow;
        final ModelFile list;

        Entry(ModelList.Flow flow, ModelFile list) {
            this.flow = flow;
            this.list = list;
        }
    }

    private final Context context;
    private final ModelFile assets;
    private final File folder; // of what the user has added
    private final AttemptLog log;
    private final ModelList shipped;

    /**
     * Reads the lists.
     *
     * @throws IllegalArgumentException if the assets' one is damaged or missing
     */
    public FlowModels(Context context) {
        this.context = context.getApplicationContext();
        assets = ModelFile.ofAssets(context.getAssets(), LIST);
        folder = new File(context.getFilesDir(), "tfflow");
        if (!folder.isDirectory() && !folder.mkdirs()) {
            throw new IllegalArgumentException("can't make the folder " + folder);
        }
        log = AttemptLog.of(new File(folder, "attempts.txt"));
        shipped = read(assets);
        entries();
    }

    /** Read anew each time: another screen's FlowModels may add a network too. */
    private List<Entry> entries() {
        List<Entry> all = new ArrayList<>();
        for (ModelList.Flow flow : shipped.flows) {
            all.add(new Entry(flow, assets));
        }
        ModelFile added = ModelFile.ofFolder(folder, LIST);
        if (new File(folder, LIST).isFile()) {
            for (ModelList.Flow flow : read(added).flows) {
                all.add(new Entry(flow, added));
            }
        }
        return all;
    }

    private static ModelList read(ModelFile list) {
        try {
            return new ModelList(new String(list.read(), StandardCharsets.UTF_8));
        } catch (IOException error) {
            throw new IllegalArgumentException(
                    "there is no models.json in the assets: run tfflow export with"
                            + " --android-assets",
                    error);
        }
    }

    /** The networks' names, the first one is the default. */
    public List<String> names() {
        List<String> names = new ArrayList<>();
        for (Entry entry : entries()) {
            names.add(entry.flow.name);
        }
        return names;
    }

    private Entry entry(String name) {
        for (Entry entry : entries()) {
            if (entry.flow.name.equals(name)) {
                return entry;
            }
        }
        throw new IllegalArgumentException(
                "expected one of the networks " + names() + "; got " + name);
    }

    /** What the detector finds, by label; null if there is no detector. */
    public @Nullable List<String> classes() {
        return shipped.detector == null ? null : shipped.detector.classes;
    }

    /** What has killed the app, and is left out until it is forgotten. */
    public AttemptLog attempts() {
        return log;
    }

    /**
     * A network on the best accelerator that computes it rightly, not yet loaded.
     *
     * @throws IllegalArgumentException if there is no network of this name
     */
    public EngineLadder ladder(String name, Choice choice) {
        entry(name);
        return new EngineLadder(log, () -> rungs(name, choice));
    }

    /**
     * The ways to run a network, the best one first. Not for the screen's thread.
     *
     * @throws IllegalArgumentException if there is no network of this name
     * @throws FlowEngineException if LiteRT does not start, or the golden pair is missing
     */
    public List<EngineLadder.Rung> rungs(String name, Choice choice) {
        Entry entry = entry(name);
        List<EngineLadder.Rung> rungs = new ArrayList<>();
        for (Accelerator each :
                new Accelerator[] {Accelerator.NPU, Accelerator.GPU, Accelerator.CPU}) {
            if (choice.unit() == null || choice.unit().name().equals(each.name())) {
                rungs.add(rung(entry, each, choice.threads()));
            }
        }
        return rungs;
    }

    private EngineLadder.Rung rung(Entry entry, Accelerator accelerator, int threads) {
        boolean cpu = accelerator == Accelerator.CPU;
        String name = !cpu ? accelerator.name() : threads == 1 ? "CPU, 1 thread"
                : "CPU, " + threads + " threads";
        Accelerators accelerators = Accelerators.of(context);
        if (!cpu && !accelerators.has(accelerator)) {
            return EngineLadder.Rung.absent(name, "LiteRT finds none on this phone");
        }
        // GPUs compute in float, and rather from floats; the others gain by integers.
        ModelList.Form form =
                accelerator == Accelerator.GPU
                        ? entry.flow.best("float16", "float32")
                        : entry.flow.best("int8");
        ModelFile file = entry.list.beside(form.file);
        return new EngineLadder.Rung(
                name,
                cpu ? null : name + " " + form.sha256,
                () -> engine(accelerators, file, form, accelerator, threads),
                golden(entry.list, form));
    }

    private static FlowEngine engine(
            Accelerators accelerators,
            ModelFile file,
            ModelList.Form form,
            Accelerator accelerator,
            int threads) {
        LiteRtNetwork network =
                new LiteRtNetwork(() -> accelerators, file, form.sha256, accelerator, threads);
        return form.encode == null || form.match == null
                ? new NetworkFlowEngine(network)
                : new StreamingFlowEngine(network, form.encode, form.match);
    }

    private SelfCheck.Golden golden(ModelFile list, ModelList.Form form) {
        try {
            return new SelfCheck.Golden(
                    image(shipped.golden.image1),
                    image(shipped.golden.image2),
                    assets.beside(shipped.golden.truth).read(),
                    list.beside(form.goldenFlow).read(),
                    shipped.golden.step);
        } catch (IOException error) {
            throw new FlowEngineException(
                    "the golden pair or the flow of " + form.file
                            + " is missing: export it again with tfflow",
                    error);
        }
    }

    private RgbImage image(String name) throws IOException {
        byte[] content = assets.beside(name).read();
        Bitmap bitmap = BitmapFactory.decodeByteArray(content, 0, content.length);
        if (bitmap == null) {
            throw new IOException(name + " is no picture");
        }
        return Bitmaps.rgb(bitmap);
    }

    /** The detector, which has no golden pair and so runs on the CPU, the one that needs none. */
    public DetectionPipeline detection(int threads) {
        ModelList.Detector detector = shipped.detector;
        if (detector == null) {
            throw new IllegalStateException("there is no detector in the assets");
        }
        return new DetectionPipeline(
                onCpu(assets.beside(detector.key), detector.keySha256, threads),
                onCpu(assets.beside(detector.between), detector.betweenSha256, threads),
                detector.interval,
                new NonMaximumSuppression(detector.score, detector.overlap, MOST_OBJECTS));
    }

    private LiteRtNetwork onCpu(ModelFile file, String sha256, int threads) {
        return new LiteRtNetwork(
                () -> Accelerators.of(context), file, sha256, Accelerator.CPU, threads);
    }

    /**
     * Adds a network of the user's own: copies the file, runs the golden pair on the CPU, and keeps
     * the flow to check the accelerators with. Takes seconds; not for the screen's thread.
     *
     * @param name as it is shown; a network of this name that was added before is replaced
     * @param stream a .tflite that tfflow has exported
     * @return what {@link #names} has of it now
     * @throws FlowEngineException if it is no flow network that runs here
     * @throws IOException if it can't be read, or kept
     */
    public String add(String name, InputStream stream) throws IOException {
        // Looked at first: a film that was chosen by mistake may be larger than what is free.
        byte[] start = ModelFile.readStart(stream, 8);
        if (start.length < 8
                || !new String(start, 4, 4, StandardCharsets.ISO_8859_1).equals("TFL3")) {
            throw new FlowEngineException(name + " is no .tflite file");
        }
        String plain = name.replaceAll("\\.tflite$", "").replaceAll("[^\\w.-]", "_");
        for (ModelList.Flow flow : shipped.flows) {
            if (flow.name.equals(plain)) {
                plain += "_2"; // what the app was made with stays
            }
        }
        try {
            File part = new File(folder, "added.tflite.part");
            InputStream whole = new SequenceInputStream(new ByteArrayInputStream(start), stream);
            String sha256 = write(part, whole);
            String file = plain + "-" + sha256.substring(0, 12) + ".tflite";
            String golden = file + ".flow";
            rename(part, file);
            ModelFile copy = ModelFile.ofFolder(folder, file);
            try (FlowEngine engine =
                    new NetworkFlowEngine(onCpu(copy, sha256, Choice.BEST.threads()))) {
                engine.load();
                write(golden, flow(engine, name));
            }
            keep(plain, file, sha256, golden);
        } finally {
            deleteUnlisted();
        }
        return plain;
    }

    /** Deletes what a network that was replaced, or not added after all, has left in the folder. */
    private void deleteUnlisted() {
        Set<String> listed = new HashSet<>();
        for (Entry entry : entries()) {
            for (ModelList.Form form : entry.flow.forms) {
                listed.add(form.file);
                listed.add(form.goldenFlow);
            }
        }
        File[] files = folder.listFiles();
        for (File file : files == null ? new File[0] : files) {
            String name = file.getName();
            if (name.matches(".*\\.tflite(\\.flow)?(\\.part)?") && !listed.contains(name)) {
                file.delete();
            }
        }
    }

    private byte[] flow(FlowEngine engine, String name) throws IOException {
        FlowPredictor predictor =
                new FlowPredictor(engine, Fit.STRETCH, new LatencyStatistics(1));
        RgbImage image1 = image(shipped.golden.image1);
        RgbImage image2 = image(shipped.golden.image2);
        int step = shipped.golden.step;
        byte[] flow = SelfCheck.Golden.flowOf(predictor, image1, image2, step);
        byte[] truth = assets.beside(shipped.golden.truth).read();
        SelfCheck check =
                SelfCheck.run(
                        predictor, new SelfCheck.Golden(image1, image2, truth, flow, step));
        if (!check.passes()) { // NaN, or other numbers the second time
            throw new FlowEngineException(name + " computes no flow: " + check);
        }
        return flow;
    }

    private void keep(String name, String file, String sha256, String golden)
            throws IOException {
        JSONArray models = new JSONArray();
        ModelFile added = ModelFile.ofFolder(folder, LIST);
        try {
            JSONObject list = new JSONObject(new String(assets.read(), StandardCharsets.UTF_8));
            if (new File(folder, LIST).isFile()) {
                JSONArray old =
                        new JSONObject(new String(added.read(), StandardCharsets.UTF_8))
                                .getJSONArray("models");
                for (int i = 0; i < old.length(); i++) {
                    if (!old.getJSONObject(i).getString("name").equals(name)) {
                        models.put(old.getJSONObject(i));
                    }
                }
            }
            JSONObject form = new JSONObject();
            form.put("file", file);
            form.put("sha256", sha256);
            form.put("quantization", "unknown");
            form.put("golden_flow", golden);
            JSONObject model = new JSONObject();
            model.put("name", name);
            model.put("files", new JSONArray().put(form));
            models.put(model);
            JSONObject newest = new JSONObject();
            newest.put("golden", list.getJSONObject("golden"));
            newest.put("models", models);
            write(LIST, newest.toString().getBytes(StandardCharsets.UTF_8));
        } catch (JSONException error) {
            throw new IOException("the list of networks is damaged", error);
        }
    }

    /** Writes a file whole or not at all. */
    private void write(String name, byte[] content) throws IOException {
        File part = new File(folder, name + ".part");
        write(part, new ByteArrayInputStream(content));
        rename(part, name);
    }

    /** Writes a file that gets its name later; its SHA-256. */
    private static String write(File part, InputStream content) throws IOException {
        try (FileOutputStream stream = new FileOutputStream(part)) {
            String sha256 = ModelFile.copy(content, stream);
            stream.getFD().sync(); // or a power cut may leave the name without the content
            return sha256;
        }
    }

    private void rename(File part, String name) throws IOException {
        if (!part.renameTo(new File(folder, name))) {
            throw new IOException("can't write " + new File(folder, name));
        }
    }
}
