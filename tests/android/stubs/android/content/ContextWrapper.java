package android.content;

/** Compile-only: what the app uses of the real one. */
public class ContextWrapper extends Context {
    @Override
    public Object getSystemService(String name) {
        throw new UnsupportedOperationException("stub");
    }

    @Override
    public android.content.res.AssetManager getAssets() {
        throw new UnsupportedOperationException("stub");
    }

    @Override
    public android.content.res.Resources getResources() {
        throw new UnsupportedOperationException("stub");
    }

    @Override
    public java.io.File getCacheDir() {
        throw new UnsupportedOperationException("stub");
    }

    @Override
    public java.io.File getFilesDir() {
        throw new UnsupportedOperationException("stub");
    }

    @Override
    public Context getApplicationContext() {
        throw new UnsupportedOperationException("stub");
    }

    @Override
    public android.content.pm.ApplicationInfo getApplicationInfo() {
        throw new UnsupportedOperationException("stub");
    }

    @Override
    public ContentResolver getContentResolver() {
        throw new UnsupportedOperationException("stub");
    }

    @Override
    public int checkSelfPermission(String permission) {
        throw new UnsupportedOperationException("stub");
    }

    @Override
    public void startActivity(Intent intent) {}
}
