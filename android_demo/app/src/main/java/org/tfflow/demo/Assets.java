package org.tfflow.demo;

import android.content.res.AssetManager;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;

/** Files in the assets. */
final class Assets {
    private Assets() {}

    /** A whole file. */
    static byte[] read(AssetManager assets, String name) throws IOException {
        ByteArrayOutputStream content = new ByteArrayOutputStream();
        byte[] part = new byte[1 << 16];
        try (InputStream stream = assets.open(name)) {
            for (int count = stream.read(part); count >= 0; count = stream.read(part)) {
                content.write(part, 0, count);
            }
        }
        return content.toByteArray();
    }
}
