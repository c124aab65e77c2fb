package org.tfflow.demo;

import android.content.res.AssetManager;
import android.graphics.Bitmap;
import android.graphics.BitmapFactory;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import org.json.JSONException;
import org.json.JSONObject;
import org.tfflow.core.FlowPredictor;
import org.tfflow.core.RgbImage;
import org.tfflow.core.SelfCheck;

/** The first network of the assets' models.json, and its golden pair. */
final class ShippedModel {
    private final AssetManager assets;
    private final String file;
    private final String goldenFlow;
    private final int goldenStep;

    /**
     * @throws IllegalStateException if the assets are not those that export/fill_demo.py writes
     */
    ShippedModel(AssetManager assets) {
        this.assets = assets;
        try {
            String text = new String(read("models.json"), StandardCharsets.UTF_8);
            JSONObject model = new JSONObject(text).getJSONArray("models").getJSONObject(0);
            file = model.getString("file");
            goldenFlow = model.getString("golden_flow");
            goldenStep = model.getInt("golden_step");
        } catch (IOException | JSONException error) {
            throw new IllegalStateException("models.json is damaged", error);
        }
    }

    /** The name of the .tflite. */
    String file() {
        return file;
    }

    /** Whether this phone computes what the file was shipped with. */
    SelfCheck check(FlowPredictor predictor) {
        try {
            return SelfCheck.run(
                    predictor,
                    image("golden_image1.png"),
                    image("golden_image2.png"),
                    read(goldenFlow),
                    goldenStep);
        } catch (IOException error) {
            throw new IllegalStateException("the golden pair is not in the assets", error);
        }
    }

    private RgbImage image(String name) throws IOException {
        byte[] content = read(name);
        Bitmap bitmap = BitmapFactory.decodeByteArray(content, 0, content.length);
        if (bitmap == null) {
            throw new IOException(name + " is no picture");
        }
        int width = bitmap.getWidth();
        int height = bitmap.getHeight();
        int[] argb = new int[width * height];
        bitmap.getPixels(argb, 0, width, 0, 0, width, height);
        return RgbImage.fromArgb(width, height, argb);
    }

    private byte[] read(String name) throws IOException {
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
