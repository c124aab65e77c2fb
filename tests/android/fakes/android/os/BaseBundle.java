package android.os;

import java.util.HashMap;
import java.util.Map;

public class BaseBundle {
    private final Map<String, String> values = new HashMap<>();

    public String getString(String key) {
        return values.get(key);
    }

    public String getString(String key, String otherwise) {
        return values.getOrDefault(key, otherwise);
    }

    public void putString(String key, String value) {
        values.put(key, value);
    }
}
