package android.content;

/** Compile-only: what the app uses of the real one. */
public class Intent {
    public static final String ACTION_CREATE_DOCUMENT = "android.intent.action.CREATE_DOCUMENT";
    public static final String ACTION_OPEN_DOCUMENT = "android.intent.action.OPEN_DOCUMENT";
    public static final String ACTION_SEND = "android.intent.action.SEND";
    public static final String CATEGORY_OPENABLE = "android.intent.category.OPENABLE";
    public static final String EXTRA_STREAM = "android.intent.extra.STREAM";
    public static final String EXTRA_TEXT = "android.intent.extra.TEXT";
    public static final String EXTRA_TITLE = "android.intent.extra.TITLE";

    public static final int FLAG_GRANT_READ_URI_PERMISSION = 1;

    public Intent(String action) {}

    public Intent(Context context, Class<?> activity) {}

    public Intent addCategory(String category) {
        throw new UnsupportedOperationException("stub");
    }

    public Intent addFlags(int flags) {
        throw new UnsupportedOperationException("stub");
    }

    public void setClipData(ClipData clip) {
        throw new UnsupportedOperationException("stub");
    }

    public Intent setType(String type) {
        throw new UnsupportedOperationException("stub");
    }

    public Intent putExtra(String name, String value) {
        throw new UnsupportedOperationException("stub");
    }

    public Intent putExtra(String name, android.os.Parcelable value) {
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
