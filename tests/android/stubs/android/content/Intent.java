package android.content;

/** Compile-only: what the app uses of the real one. */
public class Intent {
    public static final String ACTION_CREATE_DOCUMENT = "android.intent.action.CREATE_DOCUMENT";
    public static final String ACTION_OPEN_DOCUMENT = "android.intent.action.OPEN_DOCUMENT";
    public static final String ACTION_SEND = "android.intent.action.SEND";
    public static final String CATEGORY_OPENABLE = "android.intent.category.OPENABLE";
    public static final String EXTRA_TEXT = "android.intent.extra.TEXT";
    public static final String EXTRA_TITLE = "android.intent.extra.TITLE";

    public Intent(String action) {}

    public Intent(Context context, Class<?> activity) {}

    public Intent addCategory(String category) {
        throw new UnsupportedOperationException("stub");
    }

    public Intent setType(String type) {
        throw new UnsupportedOperationException("stub");
    }

    public Intent putExtra(String name, String value) {
        throw new UnsupportedOperationException("stub");
    }

    public String getStringExtra(String name) {
        throw new UnsupportedOperationException("stub");
    }

    public android.net.Uri getData() {
        throw new UnsupportedOperationException("stub");
    }

    public static Intent createChooser(Intent target, CharSequence title) {
        throw new UnsupportedOperationException("stub");
    }
}
