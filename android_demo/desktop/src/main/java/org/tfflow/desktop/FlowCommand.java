package org.tfflow.desktop;

import java.io.IOException;
import java.io.PrintStream;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.Paths;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.tfflow.core.Fit;
import org.tfflow.core.FlowEngineException;
import org.tfflow.core.FlowPipeline;
import org.tfflow.core.FlowPipelineOptions;
import org.tfflow.core.Frame;
import org.tfflow.core.Orientation;
import org.tfflow.core.Overlay;
import org.tfflow.core.RgbImage;

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
                    + "  --flow yes        writes the flow too, as NAME.flo [no]\n";
    private static final List<String> REQUIRED =
            Arrays.asList("library", "model", "frames", "output");
    private static final List<String> OTHERS =
            Arrays.asList("max-flow", "opacity", "rotate", "fit", "colors", "flow");

    private FlowCommand() {}

    /** The command; ends with 2 if the arguments are wrong, with 1 if something fails. */
    public static void main(String[] arguments) {
        try {
            run(options(arguments), System.out);
        } catch (IllegalArgumentException error) {
            System.err.println(error.getMessage() + "\n\n" + USAGE);
            System.exit(2);
        } catch (UncheckedIOException | FlowEngineException error) {
            Throwable cause = error.getCause();
            System.err.println(error.getMessage() + (cause == null ? "" : ": " + cause));
            System.exit(1);
        }
    }

    private static void run(Map<String, String> options, PrintStream out) {
        List<Path> files = pictures(Paths.get(options.get("frames")));
        Path output = Paths.get(options.get("output"));
        Orientation orientation =
                Orientation.of(Integer.parseInt(options.getOrDefault("rotate", "0")), false);
        boolean writesFlow = options.getOrDefault("flow", "no").equals("yes");
        DesktopFlowEngine engine =
                new DesktopFlowEngine(
                        Paths.get(options.get("library")), Paths.get(options.get("model")));
        try (FlowPipeline pipeline = new FlowPipeline(engine, painting(options))) {
            pipeline.open();
            Files.createDirectories(output);
            for (int i = 0; i < files.size(); i++) {
                RgbImage image = Images.read(files.get(i));
                Optional<Overlay> result = pipeline.process(Frame.of(image, orientation, i));
                if (result.isPresent()) {
                    String name = stem(files.get(i));
                    Overlay overlay = result.get();
                    Images.write(
                            output.resolve(name + ".png"),
                            overlay.width(),
                            overlay.height(),
                            overlay.argb());
                    if (writesFlow) {
                        Files.write(output.resolve(name + ".flo"), flo(overlay));
                    }
                }
            }
            out.print(pipeline.statistics().summary());
        } catch (IOException error) {
            throw new UncheckedIOException("can't write to " + output, error);
        }
    }

    private static FlowPipelineOptions painting(Map<String, String> options) {
        FlowPipelineOptions painting = FlowPipelineOptions.standard();
        if (options.containsKey("max-flow")) {
            painting = painting.withMaxFlow(Float.parseFloat(options.get("max-flow")));
        }
        if (options.containsKey("opacity")) {
            painting = painting.withOpacity(Integer.parseInt(options.get("opacity")));
        }
        if (options.getOrDefault("colors", "exact").equals("fast")) {
            painting = painting.withFastColors();
        }
        String fit = options.getOrDefault("fit", "stretch").toUpperCase(Locale.ROOT);
        return painting.withFit(Fit.valueOf(fit));
    }

    private static Map<String, String> options(String[] arguments) {
        Map<String, String> options = new LinkedHashMap<>();
        for (int i = 0; i < arguments.length; i += 2) {
            String name = arguments[i].startsWith("--") ? arguments[i].substring(2) : "";
            if (!(REQUIRED.contains(name) || OTHERS.contains(name)) || i + 1 == arguments.length) {
                throw new IllegalArgumentException(
                        "expected an option and its value; got " + arguments[i]);
            }
            options.put(name, arguments[i + 1]);
        }
        for (String name : REQUIRED) {
            if (!options.containsKey(name)) {
                throw new IllegalArgumentException("--" + name + " is missing");
            }
        }
        return options;
    }

    private static List<Path> pictures(Path folder) {
        try (Stream<Path> files = Files.list(folder)) {
            List<Path> found =
                    files.filter(file -> file.toString().matches("(?i).*\\.(png|jpe?g)"))
                            .sorted()
                            .collect(Collectors.toList());
            if (found.size() < 2) {
                throw new IllegalArgumentException(
                        "expected two pictures or more in " + folder + "; got " + found.size());
            }
            return found;
        } catch (IOException error) {
            throw new UncheckedIOException("can't list " + folder, error);
        }
    }

    private static String stem(Path file) {
        String name = file.getFileName().toString();
        return name.substring(0, name.lastIndexOf('.'));
    }

    /** Middlebury's .flo: "PIEH", width, height, then u and v of each pixel, little-endian. */
    private static byte[] flo(Overlay overlay) {
        float[] uv = overlay.flow().uv();
        ByteBuffer file =
                ByteBuffer.allocate(12 + 4 * uv.length).order(ByteOrder.LITTLE_ENDIAN);
        file.put(new byte[] {'P', 'I', 'E', 'H'});
        file.putInt(overlay.width()).putInt(overlay.height());
        file.asFloatBuffer().put(uv);
        return file.array();
    }
}
