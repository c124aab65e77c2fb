package android.content;

import org.tfflow.fakes.Phone;

public abstract class Context {
    public static final String CAMERA_SERVICE = "camera";
    public static final String CLIPBOARD_SERVICE = "clipboard";
    public static final String DISPLAY_SERVICE = "display";

    public Object getSystemService(String name) {
        switch (name) {
            case CAMERA_SERVICE:
                return new android.hardware.camera2.CameraManager();
            case DISPLAY_SERVICE:
                return new android.hardware.display.DisplayManager();
            default:
                return new ClipboardManager();
        }
    }

    public android.content.res.AssetManager getAssets() {
        return new android.content.res.AssetManager();
    }

    public android.content.res.Resources getResources() {
        return new android.content.res.Resources();
    }

    public java.io.File getCacheDir() {
        return Phone.home.resolve("cache").toFile();
    }

    public java.io.File getFilesDir() {
        return Phone.home.resolve("files").toFile();
    }

    public Context getApplicationContext() {
        return this;
    }

    public android.content.pm.ApplicationInfo getApplicationInfo() {
        return new android.content.pm.ApplicationInfo();
    }

    public ContentResolver getContentResolver() {
        return new ContentResolver() {};
    }

    public final String getString(int id) {
        return Phone.strings.apply(id);
    }

    public final String getString(int id, Object... arguments) {
        return String.format(Phone.strings.apply(id), arguments);
    }

    public int checkSelfPermission(String permission) {
        return Phone.cameraAllowed ? 0 : -1;
    }

    public void startActivity(Intent intent) {
        Phone.started = intent;
    }
}
