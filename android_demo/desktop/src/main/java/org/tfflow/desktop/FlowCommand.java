package org.tfflow.desktop;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import org.tfflow.core.image.Fit;
import org.tfflow.core.image.FlowField;
import org.tfflow.core.image.Frame;
import org.tfflow.core.image.Orientation;
import org.tfflow.core.network.FlowEngine;
import org.tfflow.core.network.NetworkFlowEngine;
import org.tfflow.core.network.StreamingFlowEngine;
import org.tfflow.core.pipeline.FlowPipeline;
import org.tfflow.core.pipeline.FlowPipelineOptions;
import org.tfflow.core.pipeline.Overlay;

/** A folder of frames through the pipeline of the phone: overlays out, and the times it took. */
public final class FlowCommand {
    private static final String USAGE =
            "Runs a folder of frames, in the order of their names, through the app's pipeline.\n\n"
                    + "  --library FILE    ai-edge-litert's libLiteRt.so\n"
                    + "  --model FILE      .tflite exported by tfflow\n"
                    + "  --frames FOLDER   PNG or JPEG files\n"
                    + "  --output FOLDER   gets an overlay, NAME.png, for each frame but the first\n"
                    + "  --max-flow PX     the motion of full colour [each picture's largest]\n"
                    + "  --opacity N       0 to 255 [255]\n"
                    + "  --rotate DEGREES  turns the frames clockwise, by 0, 90, 180 or 270 [0]\n"
                    + "  --fit HOW         stretch or letterbox [stretch]\n"
                    + "  --colors HOW      exact or fast [exact]\n"
                    + "  --confidence C    leaves out flow that is trusted less, 0 to 1 [0]\n"
                    + "  --flow yes        writes the flow too, as NAME.flo [no]\n";
    private static final List<String> REQUIRED =
            Arrays.asList("library", "model", "frames", "output");
    private static final List<String> OTHERS =
            Arrays.asList(
                    "max-flow", "opacity", "rotate", "fit", "colors", "confidence", "flow");

    private FlowCommand() {}

    /** The command; ends with 2 if the arguments are wrong, with 1 if something fails. */
    public static void main(String[] words) {
        Arguments.main(words, REQUIRED, OTHERS, USAGE, FlowCommand::run);
    }

    private static void run(Arguments arguments) {
        List<Path> files = arguments.frames();
        Path output = arguments.output();
        Orientation orientation = arguments.orientation();
        boolean writesFlow = arguments.oneOf("flow", "no", "yes").equals("yes");
        FlowPipelineOptions painting = painting(arguments);
        DesktopNetwork network =
                new DesktopNetwork(arguments.path("library"), arguments.path("model"));
        FlowEngine engine = engine(network);
        try (FlowPipeline pipeline = new FlowPipeline(engine, painting)) {
            pipeline.open();
            if (arguments.has("confidence") && !engine.confidenceSpec().isPresent()) {
                throw new IllegalArgumentException(
                        arguments.path("model") + " gives no confidence: leave out"
                                + " --confidence, or export the network with it");
            }
            Files.createDirectories(output);
            for (int i = 0; i < files.size(); i++) {
                Frame frame = Frame.of(Images.read(files.get(i)), orientation, i);
                Optional<Overlay> result = pipeline.process(frame);
                if (result.isPresent()) {
                    String name = stem(files.get(i));
                    Overlay overlay = result.get();
                    Images.write(
                            output.resolve(name + ".png"),
                            overlay.width(),
                            overlay.height(),
                            overlay.argb());
                    if (writesFlow) {
                        Files.write(output.resolve(name + ".flo"), flo(overlay.flow().get()));
                    }
                }
            }
            System.out.print(pipeline.statistics().summary());
        } catch (IOException error) {
            throw new UncheckedIOException("can't write to " + output, error);
        }
    }

    /** Each frame is encoded once, if the file can do that. */
    static FlowEngine engine(DesktopNetwork network) {
        network.load();
        return network.signatures().containsAll(Arrays.asList("encode", "match"))
                ? new StreamingFlowEngine(
                        network, network.outputs("encode"), network.inputs("match"))
                : new NetworkFlowEngine(network);
    }

    private static FlowPipelineOptions painting(Arguments arguments) {
        String fit = arguments.oneOf("fit", "stretch", "letterbox").toUpperCase(Locale.ROOT);
        FlowPipelineOptions painting =
                FlowPipelineOptions.standard()
                        .withOpacity(arguments.whole("opacity", 255))
                        .withFit(Fit.valueOf(fit));
        if (arguments.has("max-flow")) {
            painting = painting.withMaxFlow((float) arguments.number("max-flow", 0));
        }
        if (arguments.has("confidence")) {
            painting = painting.withLeastConfidence((float) arguments.number("confidence", 0));
        }
        boolean fast = arguments.oneOf("colors", "exact", "fast").equals("fast");
        return fast ? painting.withFastColors() : painting;
    }

    private static String stem(Path file) {
        String name = file.getFileName().toString();
        return name.substring(0, name.lastIndexOf('.'));
    }

    /** Middlebury's .flo: "PIEH", width, height, then u and v of each pixel, little-endian. */
    private static byte[] flo(FlowField flow) {
        float[] uv = flow.uv();
        ByteBuffer file =
                ByteBuffer.allocate(12 + 4 * uv.length).order(ByteOrder.LITTLE_ENDIAN);
        file.put(new byte[] {'P', 'I', 'E', 'H'});
        file.putInt(flow.width()).putInt(flow.height());
        file.asFloatBuffer().put(uv);
        return file.array();
    }
}
