package org.tfflow.desktop;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.Paths;
import java.util.Arrays;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.tfflow.core.image.Orientation;
import org.tfflow.core.network.FlowEngineException;

/** A command's arguments: options, each with its value. */
final class Arguments {
    /** What a command does with its arguments. */
    interface Task {
        /** Runs it. */
        void run(Arguments arguments);
    }

    private final Map<String, String> values = new LinkedHashMap<>();

    /**
     * Reads them.
     *
     * @param required the options that must be there, without dashes
     * @param others those that may
     * @throws IllegalArgumentException if one is missing or not known
     */
    Arguments(String[] words, List<String> required, List<String> others) {
        for (int i = 0; i < words.length; i += 2) {
            String name = words[i].startsWith("--") ? words[i].substring(2) : "";
            if (!(required.contains(name) || others.contains(name)) || i + 1 == words.length) {
                throw new IllegalArgumentException(
                        "expected an option and its value; got " + words[i]);
            }
            values.put(name, words[i + 1]);
        }
        for (String name : required) {
            if (!values.containsKey(name)) {
                throw new IllegalArgumentException("--" + name + " is missing");
            }
        }
    }

    /**
     * A whole command; ends the JVM with 2 if the arguments are wrong, with 1 if something fails.
     */
    static void main(
            String[] words, List<String> required, List<String> others, String usage, Task task) {
        try {
            task.run(new Arguments(words, required, others));
        } catch (IllegalArgumentException error) {
            System.err.println(error.getMessage() + "\n\n" + usage);
            System.exit(2);
        } catch (UncheckedIOException | FlowEngineException error) {
            Throwable cause = error.getCause();
            System.err.println(error.getMessage() + (cause == null ? "" : ": " + cause));
            System.exit(1);
        }
    }

    boolean has(String name) {
        return values.containsKey(name);
    }

    String get(String name, String otherwise) {
        return values.getOrDefault(name, otherwise);
    }

    Path path(String name) {
        return Paths.get(values.get(name));
    }

    int whole(String name, int otherwise) {
        try {
            return has(name) ? Integer.parseInt(values.get(name)) : otherwise;
        } catch (NumberFormatException error) {
            throw unexpected(name, "a whole number");
        }
    }

    double number(String name, double otherwise) {
        try {
            return has(name) ? Double.parseDouble(values.get(name)) : otherwise;
        } catch (NumberFormatException error) {
            throw unexpected(name, "a number");
        }
    }

    /**
     * One of several words; the first where the option is not there.
     *
     * @throws IllegalArgumentException if it is another word
     */
    String oneOf(String name, String... words) {
        String word = get(name, words[0]);
        if (!Arrays.asList(words).contains(word)) {
            throw unexpected(name, String.join(" or ", words));
        }
        return word;
    }

    private IllegalArgumentException unexpected(String name, String wanted) {
        return new IllegalArgumentException(
                "--" + name + " must be " + wanted + "; got " + values.get(name));
    }

    /** --rotate, in degrees clockwise. */
    Orientation orientation() {
        return Orientation.of(whole("rotate", 0), false);
    }

    /** The pictures in --frames, sorted by name, numbers by value: two or more. */
    List<Path> frames() {
        Path folder = path("frames");
        try (Stream<Path> files = Files.list(folder)) {
            List<Path> found =
                    files.filter(file -> file.toString().matches("(?i).*\\.(png|jpe?g)"))
                            .sorted(Comparator.comparing(Arguments::padded))
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

    /**
     * --output, a folder.
     *
     * @throws IllegalArgumentException if it is that of the frames, which would be written over
     */
    Path output() {
        Path output = path("output");
        try {
            if (Files.exists(output) && Files.isSameFile(output, path("frames"))) {
                throw new IllegalArgumentException(
                        "--output is the frames' own folder; give another one");
            }
        } catch (IOException error) {
            throw new UncheckedIOException("can't look at " + output, error);
        }
        return output;
    }

    /** A file's name with its numbers as long as any, so that 9 comes before 10. */
    private static String padded(Path file) {
        Matcher number = Pattern.compile("\\d+").matcher(file.getFileName().toString());
        return number.replaceAll(
                found -> "0".repeat(Math.max(0, 20 - found.group().length())) + found.group());
    }
}
