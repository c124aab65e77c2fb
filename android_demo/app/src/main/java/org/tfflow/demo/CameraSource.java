package org.tfflow.demo;

import android.annotation.SuppressLint;
import android.graphics.ImageFormat;
import android.hardware.camera2.CameraAccessException;
import android.hardware.camera2.CameraCaptureSession;
import android.hardware.camera2.CameraCharacteristics;
import android.hardware.camera2.CameraDevice;
import android.hardware.camera2.CameraManager;
import android.hardware.camera2.CaptureRequest;
import android.hardware.camera2.params.StreamConfigurationMap;
import android.media.Image;
import android.media.ImageReader;
import android.os.Handler;
import android.os.HandlerThread;
import android.util.Size;
import java.util.Collections;
import org.jspecify.annotations.Nullable;
import org.tfflow.core.image.Frame;
import org.tfflow.core.image.Orientation;
import org.tfflow.core.image.YuvColors;
import org.tfflow.core.image.YuvImage;

/** The camera's frames, upright by their orientation, on a thread of their own. */
final class CameraSource implements FrameSource {
    private static final long WANTED_PIXELS = 640 * 480;

    private final CameraManager manager;
    private final Receiver receiver;
    private final HandlerThread thread = new HandlerThread("camera");
    private Handler handler;
    private CameraDevice camera;
    private ImageReader reader;
    private int sensor; // degrees that the camera is turned against the phone
    private boolean front;
    private volatile Orientation orientation;
    private boolean closed;

    CameraSource(CameraManager manager, Receiver receiver) {
        this.manager = manager;
        this.receiver = receiver;
    }

    /**
     * Opens the back camera, or any other, at the size nearest to 640 x 480.
     *
     * @param displayDegrees how far the screen is turned, as Surface.ROTATION_90 means it
     * @return whether there is a camera that gives YUV_420_888 pictures
     * @throws SecurityException without the permission CAMERA
     */
    @SuppressLint("MissingPermission") // who calls it asks for it, and catches what it throws
    boolean open(int displayDegrees) throws CameraAccessException {
        String id = chooseCamera();
        if (id == null) {
            return false;
        }
        CameraCharacteristics facts = manager.getCameraCharacteristics(id);
        front = isFront(facts);
        Integer turned = facts.get(CameraCharacteristics.SENSOR_ORIENTATION);
        sensor = turned == null ? 0 : turned;
        turn(displayDegrees);
        Size size = chooseSize(facts);
        if (size == null) {
            return false;
        }
        thread.start();
        handler = new Handler(thread.getLooper());
        reader =
                ImageReader.newInstance(
                        size.getWidth(), size.getHeight(), ImageFormat.YUV_420_888, 2);
        reader.setOnImageAvailableListener(this::onImage, handler);
        manager.openCamera(id, new Device(), handler);
        return true;
    }

    /** The screen is turned so from now on, as {@link #open} means it. */
    void turn(int displayDegrees) {
        // A front camera's picture turns against the screen, and is shown as in a mirror.
        orientation =
                Orientation.of(front ? sensor + displayDegrees : sensor - displayDegrees, front);
    }

    private @Nullable String chooseCamera() throws CameraAccessException {
        String[] ids = manager.getCameraIdList();
        for (String id : ids) {
            Integer facing =
                    manager.getCameraCharacteristics(id).get(CameraCharacteristics.LENS_FACING);
            if (facing != null && facing == CameraCharacteristics.LENS_FACING_BACK) {
                return id;
            }
        }
        return ids.length == 0 ? null : ids[0];
    }

    private static boolean isFront(CameraCharacteristics facts) {
        Integer facing = facts.get(CameraCharacteristics.LENS_FACING);
        return facing != null && facing == CameraCharacteristics.LENS_FACING_FRONT;
    }

    /** The size nearest to the wanted one; null if there are none. */
    private static @Nullable Size chooseSize(CameraCharacteristics facts) {
        StreamConfigurationMap streams =
                facts.get(CameraCharacteristics.SCALER_STREAM_CONFIGURATION_MAP);
        Size[] sizes =
                streams == null ? null : streams.getOutputSizes(ImageFormat.YUV_420_888);
        if (sizes == null || sizes.length == 0) {
            return null;
        }
        Size best = sizes[0];
        for (Size size : sizes) {
            if (distance(size) < distance(best)) {
                best = size;
            }
        }
        return best;
    }

    private static long distance(Size size) {
        return Math.abs((long) size.getWidth() * size.getHeight() - WANTED_PIXELS);
    }

    private void onImage(ImageReader source) {
        // The latest: older ones are given back unseen.
        try (Image image = source.acquireLatestImage()) {
            if (image == null) {
                return;
            }
            YuvImage yuv = YuvImages.of(image, YuvColors.CAMERA);
            receiver.onFrame(Frame.of(yuv, orientation, image.getTimestamp()));
        }
    }

    @Override
    public void close() {
        if (handler == null) {
            return;
        }
        handler.post(this::closeCamera); // does nothing if it is closed
        thread.quitSafely();
        try {
            thread.join();
        } catch (InterruptedException error) {
            Thread.currentThread().interrupt();
        }
    }

    private void closeCamera() {
        closed = true;
        if (camera != null) {
            camera.close();
            camera = null;
        }
        if (reader != null) {
            reader.close();
            reader = null;
        }
    }

    private final class Device extends CameraDevice.StateCallback {
        @Override
        public void onOpened(CameraDevice device) {
            if (closed) {
                device.close();
                return;
            }
            camera = device;
            try {
                device.createCaptureSession(
                        Collections.singletonList(reader.getSurface()), new Session(), handler);
            } catch (CameraAccessException error) {
                receiver.onFailure("the camera can't start: " + error.getMessage());
            }
        }

        @Override
        public void onDisconnected(CameraDevice device) {
            device.close();
            camera = null;
            receiver.onFailure("another app has taken the camera");
        }

        @Override
        public void onError(CameraDevice device, int error) {
            device.close();
            camera = null;
            receiver.onFailure("the camera failed with error " + error);
        }
    }

    private final class Session extends CameraCaptureSession.StateCallback {
        @Override
        public void onConfigured(CameraCaptureSession session) {
            if (closed || camera == null) {
                return;
            }
            try {
                CaptureRequest.Builder request =
                        camera.createCaptureRequest(CameraDevice.TEMPLATE_PREVIEW);
                request.addTarget(reader.getSurface());
                session.setRepeatingRequest(request.build(), null, handler);
            } catch (CameraAccessException | IllegalStateException error) {
                receiver.onFailure("the camera can't start: " + error.getMessage());
            }
        }

        @Override
        public void onConfigureFailed(CameraCaptureSession session) {
            receiver.onFailure("the camera can't give pictures of this size");
        }
    }
}
