package android.content;

import java.util.HashMap;
import java.util.Map;

public class Intent {
    public static final String ACTION_CREATE_DOCUMENT = "android.intent.action.CREATE_DOCUMENT";
    public static final String ACTION_OPEN_DOCUMENT = "android.intent.action.OPEN_DOCUMENT";
    public static final String ACTION_SEND = "android.intent.action.SEND";
    public static final String CATEGORY_OPENABLE = "android.intent.category.OPENABLE";
    public static final String EXTRA_TEXT = "android.intent.extra.TEXT";
    public static final String EXTRA_TITLE = "android.intent.extra.TITLE";

    public String data;
    private final Map<String, String> extras = new HashMap<>();

    public Intent(String action) {}

    public Intent(Context context, Class<?> activity) {}

    public Intent addCategory(String category) {
        return this;
    }

    public Intent setType(String type) {
        return this;
    }

    public Intent putExtra(String name, String value) {
        extras.put(name, value);
        return this;
    }

    public String getStringExtra(String name) {
        return extras.get(name);
    }

    public android.net.Uri getData() {
        return android.net.Uri.parse(data);
    }

    public static Intent createChooser(Intent target, CharSequence title) {
        return target;
    }
}
