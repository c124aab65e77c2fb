package org.tfflow.litert;

import android.content.res.AssetManager;
import java.io.ByteArrayOutputStream;
import java.io.File;
import java.io.FileInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** Where files lie: in the app's assets, or in a folder of its own. */
final class ModelFile {
    final String name;
    private final @Nullable AssetManager assets;
    private final @Nullable File folder;

    private ModelFile(String name, @Nullable AssetManager assets, @Nullable File folder) {
        this.name = name;
        this.assets = assets;
        this.folder = folder;
    }

    static ModelFile ofAssets(AssetManager assets, String name) {
        return new ModelFile(name, assets, null);
    }

    static ModelFile ofFolder(File folder, String name) {
        return new ModelFile(name, null, folder);
    }

    /** The assets that it lies in; null: it is a file. */
    @Nullable AssetManager assets() {
        return assets;
    }

    String path() {
        return folder == null ? name : new File(folder, name).getPath();
    }

    /** Another file beside it. */
    ModelFile beside(String other) {
        return new ModelFile(other, assets, folder);
    }

    byte[] read() throws IOException {
        try (InputStream stream = open()) {
            ByteArrayOutputStream content = new ByteArrayOutputStream();
            copy(stream, content);
            return content.toByteArray();
        }
    }

    /** Its SHA-256, in hexadecimal digits. The file may be larger than the app's memory. */
    String digest() throws IOException {
        try (InputStream stream = open()) {
            return copy(stream, null);
        }
    }

    private InputStream open() throws IOException {
        return assets == null ? new FileInputStream(path()) : assets.open(name);
    }

    /** The first bytes of a stream; fewer than {@code length} if it ends before. */
    static byte[] readStart(InputStream stream, int length) throws IOException {
        byte[] start = new byte[length];
        int known = 0;
        for (int more = 0; more >= 0 && known < length; known += Math.max(more, 0)) {
            more = stream.read(start, known, length - known);
        }
        return Arrays.copyOf(start, known);
    }

    /**
     * Copies a stream to its end.
     *
     * @param to null: nowhere
     * @return its SHA-256, in hexadecimal digits
     */
    static String copy(InputStream stream, @Nullable OutputStream to) throws IOException {
        MessageDigest digest;
        try {
            digest = MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException never) {
            throw new AssertionError(never);
        }
        byte[] part = new byte[1 << 16];
        for (int count = stream.read(part); count >= 0; count = stream.read(part)) {
            digest.update(part, 0, count);
            if (to != null) {
                to.write(part, 0, count);
            }
        }
        StringBuilder hex = new StringBuilder();
        for (byte each : digest.digest()) {
            hex.append(String.format(Locale.ROOT, "%02x", each));
        }
        return hex.toString();
    }
}
