package org.tfflow.desktop;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.tfflow.core.detection.Box;
import org.tfflow.core.detection.NonMaximumSuppression;
import org.tfflow.core.image.Frame;
import org.tfflow.core.pipeline.DetectionPipeline;
import org.tfflow.core.pipeline.Overlay;

/** A folder of frames through the detection of the phone: a table of boxes out, and the times. */
public final class DetectCommand {
    private static final String USAGE =
            "Finds the objects in a folder of frames, in the order of their names, as the app does."
                    + "\n\n"
                    + "  --library FILE    ai-edge-litert's libLiteRt.so\n"
                    + "  --key FILE        .tflite of a detector exported by tfflow: key frames\n"
                    + "  --between FILE    the other of the pair: the frames between\n"
                    + "  --frames FOLDER   PNG or JPEG files\n"
                    + "  --output FILE     gets a line for each object, as CSV\n"
                    + "  --interval N      every N-th frame is a key frame [10]\n"
                    + "  --score S         objects below it are left out, 0 to 1 [0.3]\n"
                    + "  --overlap O       boxes of a class that overlap by more are one [0.5]\n"
                    + "  --most N          at most so many objects in a frame [100]\n"
                    + "  --rotate DEGREES  turns the frames clockwise, by 0, 90, 180 or 270 [0]\n";
    private static final List<String> REQUIRED =
            Arrays.asList("library", "key", "between", "frames", "output");
    private static final List<String> OTHERS =
            Arrays.asList("interval", "score", "overlap", "most", "rotate");

    private DetectCommand() {}

    /** The command; ends with 2 if the arguments are wrong, with 1 if something fails. */
    public static void main(String[] words) {
        Arguments.main(words, REQUIRED, OTHERS, USAGE, DetectCommand::run);
    }

    private static void run(Arguments arguments) {
        List<Path> files = arguments.frames();
        Path library = arguments.path("library");
        Path output = arguments.path("output");
        NonMaximumSuppression suppression =
                new NonMaximumSuppression(
                        arguments.number("score", 0.3),
                        arguments.number("overlap", 0.5),
                        arguments.whole("most", 100));
        StringBuilder table = new StringBuilder("frame,key,x1,y1,x2,y2,score,class\n");
        try (DetectionPipeline pipeline =
                new DetectionPipeline(
                        new DesktopNetwork(library, arguments.path("key")),
                        new DesktopNetwork(library, arguments.path("between")),
                        arguments.whole("interval", 10),
                        suppression)) {
            pipeline.open();
            for (int i = 0; i < files.size(); i++) {
                Frame frame =
                        Frame.of(Images.read(files.get(i)), arguments.orientation(), i);
                Overlay overlay = pipeline.process(frame).get();
                for (Box box : overlay.boxes()) {
                    table.append(line(files.get(i), overlay, box));
                }
            }
            Files.write(output, table.toString().getBytes(StandardCharsets.UTF_8));
            System.out.print(pipeline.statistics().summary());
        } catch (IOException error) {
            throw new UncheckedIOException("can't write " + output, error);
        }
    }

    /** Numbers with all their digits: read back, they are the same. */
    private static String line(Path file, Overlay overlay, Box box) {
        Object[] cells = {
            file.getFileName(),
            overlay.isKey() ? 1 : 0,
            box.left(),
            box.top(),
            box.right(),
            box.bottom(),
            box.score(),
            box.label()
        };
        StringBuilder line = new StringBuilder();
        for (Object cell : cells) {
            line.append(line.length() == 0 ? "" : ",").append(cell);
        }
        return line.append('\n').toString();
    }
}
