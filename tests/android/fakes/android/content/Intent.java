package android.content;

import java.util.HashMap;
import java.util.Map;

public class Intent {
    public static final String ACTION_CREATE_DOCUMENT = "android.intent.action.CREATE_DOCUMENT";
    public static final String ACTION_OPEN_DOCUMENT = "android.intent.action.OPEN_DOCUMENT";
    public static final String ACTION_SEND = "android.intent.action.SEND";
    public static final String CATEGORY_OPENABLE = "android.intent.category.OPENABLE";
    public static final String EXTRA_STREAM = "android.intent.extra.STREAM";
    public static final String EXTRA_TEXT = "android.intent.extra.TEXT";
    public static final String EXTRA_TITLE = "android.intent.extra.TITLE";

    public static final int FLAG_GRANT_READ_URI_PERMISSION = 1;

    public final String action;
    public String data;
    public String type;
    public int flags;
    public final Map<String, Object> extras = new HashMap<>();

    public Intent(String action) {
        this.action = action;
    }

    public Intent(Context context, Class<?> activity) {
        action = activity.getName();
    }

    public Intent addFlags(int more) {
        flags |= more;
        return this;
    }

    public void setClipData(ClipData clip) {}

    public Intent addCategory(String category) {
        return this;
    }

    public Intent setType(String type) {
        this.type = type;
        return this;
    }

    public Intent putExtra(String name, String value) {
        extras.put(name, value);
        return this;
    }

    public Intent putExtra(String name, android.os.Parcelable value) {
        extras.put(name, value);
        return this;
    }

    public String getStringExtra(String name) {
        return (String) extras.get(name);
    }

    public android.net.Uri getData() {
        return android.net.Uri.parse(data);
    }

    public static Intent createChooser(Intent target, CharSequence title) {
        return target;
    }
}
