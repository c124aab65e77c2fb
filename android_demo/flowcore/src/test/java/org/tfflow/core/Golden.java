package org.tfflow.core;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.Properties;
import org.tfflow.core.image.FlowField;
import org.tfflow.core.image.RgbImage;

/** A golden array of make_golden.py. */
public final class Golden {
    private final byte[] bytes;
    private final int[] shape;

    private Golden(byte[] bytes, int[] shape) {
        this.bytes = bytes;
        this.shape = shape;
    }

    public static Golden read(String name) {
        Properties index = new Properties();
        try (InputStream stream = open("index.properties")) {
            index.load(stream);
        } catch (IOException error) {
            throw new UncheckedIOException(error);
        }
        String[] words = index.getProperty(name).split(" ");
        int[] shape =
                Arrays.stream(words, 1, words.length).mapToInt(Integer::parseInt).toArray();
        return new Golden(content(name + ".bin"), shape);
    }

    /** Rows. */
    public int height() {
        return shape[0];
    }

    /** Columns. */
    public int width() {
        return shape[1];
    }

    public byte[] bytes() {
        return bytes;
    }

    public float[] floats() {
        float[] values = new float[bytes.length / 4];
        ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).asFloatBuffer().get(values);
        return values;
    }

    public RgbImage image() {
        return new RgbImage(width(), height(), bytes);
    }

    public FlowField flow() {
        return new FlowField(width(), height(), floats());
    }

    private static byte[] content(String file) {
        ByteArrayOutputStream content = new ByteArrayOutputStream();
        byte[] part = new byte[8192];
        try (InputStream stream = open(file)) {
            for (int count = stream.read(part); count >= 0; count = stream.read(part)) {
                content.write(part, 0, count);
            }
        } catch (IOException error) {
            throw new UncheckedIOException(error);
        }
        return content.toByteArray();
    }

    private static InputStream open(String file) {
        InputStream stream = Golden.class.getResourceAsStream("/golden/" + file);
        if (stream == null) {
            throw new IllegalStateException(
                    "no golden file " + file + ": run python android_demo/make_golden.py");
        }
        return stream;
    }
}
