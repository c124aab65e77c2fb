package android.content;

import org.tfflow.fakes.Phone;

public abstract class Context {
    public static final String CAMERA_SERVICE = "camera";
    public static final String CLIPBOARD_SERVICE = "clipboard";

    public Object getSystemService(String name) {
        return name.equals(CAMERA_SERVICE)
                ? new android.hardware.camera2.CameraManager()
                : new ClipboardManager();
    }

    public android.content.res.AssetManager getAssets() {
        return new android.content.res.AssetManager();
    }

    public android.content.res.Resources getResources() {
        return new android.content.res.Resources();
    }

    public final String getString(int id) {
        return Phone.strings.apply(id);
    }

    public final String getString(int id, Object... arguments) {
        return Phone.strings.apply(id) + " " + java.util.Arrays.toString(arguments);
    }

    public int checkSelfPermission(String permission) {
        return Phone.cameraAllowed ? 0 : -1;
    }

    public void startActivity(Intent intent) {}
}
