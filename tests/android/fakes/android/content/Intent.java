package android.content;

public class Intent {
    public static final String ACTION_OPEN_DOCUMENT = "android.intent.action.OPEN_DOCUMENT";
    public static final String ACTION_SEND = "android.intent.action.SEND";
    public static final String CATEGORY_OPENABLE = "android.intent.category.OPENABLE";
    public static final String EXTRA_TEXT = "android.intent.extra.TEXT";

    public Intent(String action) {}

    public Intent(Context context, Class<?> activity) {}

    public Intent addCategory(String category) {
        return this;
    }

    public Intent setType(String type) {
        return this;
    }

    public Intent putExtra(String name, String value) {
        return this;
    }

    public android.net.Uri getData() {
        return android.net.Uri.parse("content://video");
    }

    public static Intent createChooser(Intent target, CharSequence title) {
        return target;
    }
}
