package android.content;

/** Compile-only: what the app uses of the real one. */
public abstract class Context {
    public static final String CAMERA_SERVICE = "camera";
    public static final String CLIPBOARD_SERVICE = "clipboard";
    public static final String DISPLAY_SERVICE = "display";

    public abstract Object getSystemService(String name);

    public abstract android.content.res.AssetManager getAssets();

    public abstract android.content.res.Resources getResources();

    public abstract java.io.File getCacheDir();

    public abstract java.io.File getFilesDir();

    public abstract Context getApplicationContext();

    public abstract android.content.pm.ApplicationInfo getApplicationInfo();

    public abstract ContentResolver getContentResolver();

    public final String getString(int id) {
        throw new UnsupportedOperationException("stub");
    }

    public final String getString(int id, Object... arguments) {
        throw new UnsupportedOperationException("stub");
    }

    public abstract int checkSelfPermission(String permission);

    public abstract void startActivity(Intent intent);
}
