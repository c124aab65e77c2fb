package android.media;

import java.util.HashMap;
import java.util.Map;

public final class MediaFormat {
    public static final String KEY_COLOR_FORMAT = "color-format";
    public static final String KEY_COLOR_RANGE = "color-range";
    public static final String KEY_COLOR_STANDARD = "color-standard";
    public static final String KEY_MIME = "mime";
    public static final String KEY_ROTATION = "rotation-degrees";

    private final Map<String, Object> values = new HashMap<>();

    public static MediaFormat of(String type, int rotation) {
        MediaFormat format = new MediaFormat();
        format.values.put(KEY_MIME, type);
        if (rotation != 0) {
            format.values.put(KEY_ROTATION, rotation);
        }
        return format;
    }

    public boolean containsKey(String name) {
        return values.containsKey(name);
    }

    public int getInteger(String name) {
        return (Integer) values.get(name); // like Android's: no value, no mercy
    }

    public String getString(String name) {
        return (String) values.get(name);
    }

    public void setInteger(String name, int value) {
        values.put(name, value);
    }
}
