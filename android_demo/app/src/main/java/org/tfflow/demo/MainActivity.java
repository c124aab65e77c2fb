package org.tfflow.demo;

import android.Manifest;
import android.app.Activity;
import android.app.AlertDialog;
import android.content.ActivityNotFoundException;
import android.content.ClipData;
import android.content.ComponentCallbacks2;
import android.content.ContentValues;
import android.content.Context;
import android.content.Intent;
import android.content.pm.PackageManager;
import android.database.Cursor;
import android.graphics.Bitmap;
import android.hardware.camera2.CameraAccessException;
import android.hardware.camera2.CameraManager;
import android.hardware.display.DisplayManager;
import android.net.Uri;
import android.os.Build;
import android.os.Bundle;
import android.provider.DocumentsContract;
import android.provider.MediaStore;
import android.provider.OpenableColumns;
import android.util.Log;
import android.widget.RadioButton;
import android.widget.SeekBar;
import android.widget.Switch;
import android.widget.TextView;
import java.io.IOException;
import java.io.OutputStream;
import java.util.ArrayList;
import java.util.List;
import java.util.function.IntConsumer;
import org.jspecify.annotations.Nullable;
import org.tfflow.core.image.Fit;
import org.tfflow.core.image.FlowField;
import org.tfflow.core.image.Frame;
import org.tfflow.core.pipeline.FlowPipelineOptions;
import org.tfflow.core.pipeline.Overlay;
import org.tfflow.core.pipeline.ViewMode;
import org.tfflow.core.pipeline.ViewModes;
import org.tfflow.litert.Choice;
import org.tfflow.litert.FlowModels;

/** The first screen: the camera's or a video's frames with their flow, and the stages' times. */
public final class MainActivity extends Activity
        implements FrameSource.Receiver, Session.Screen, DisplayManager.DisplayListener {
    private static final int ASK_CAMERA = 1;
    private static final int CHOOSE_VIDEO = 2;
    private static final int CHOOSE_NETWORK = 3;
    private static final int CHOOSE_PLACE = 4;
    private static final int CHOOSE_PLACE_AND_SHARE = 5;
    private static final String PNG = "image/png";
    private static final String PICTURE = "flow.png";
    private static final String VIDEO = "video";
    private static final String MODE = "mode";
    private static final String HIDE = "hide";
    private static final String ASKED = "asked";
    private static final String NETWORK = "network";
    private static final String UNIT = "unit";
    private static final String THREADS = "threads";
    private static final int OPACITY = 160;
    private static final int MAX_FLOW = 30; // px of a frame of about 640 x 480, at first
    private static final int ARROW_STEP = 24; // px, likewise
    private static final int[] THREAD_COUNTS = {1, 2, 4};

    private final ViewModes modes = new ViewModes();
    private FlowView view;
    private TextView text;
    private SeekBar range;
    private Switch hide; // doubtful flow
    private FlowModels models; // null: the assets are damaged, and the screen says so
    private String network; // a name of the models'
    private Choice choice = Choice.BEST;
    private @Nullable Uri video; // null: the camera
    private @Nullable FrameSource source;
    private @Nullable Bitmap picture; // to be saved
    private boolean asked;
    private boolean resumed;
    // Other threads read them too.
    private volatile @Nullable Session session;
    private volatile String notice = ""; // why there are no frames
    private volatile String trouble = ""; // what the user wanted, and was not done

    @Override
    protected void onCreate(@Nullable Bundle state) {
        super.onCreate(state);
        setContentView(R.layout.main);
        view = findViewById(R.id.view);
        text = findViewById(R.id.text);
        range = findViewById(R.id.range);
        hide = findViewById(R.id.hide);
        try {
            models = new FlowModels(this);
            network = models.names().get(0);
            if (models.classes() == null) {
                modes.disable(ViewMode.DETECTION, getString(R.string.no_detector));
            }
            view.setClasses(models.classes());
        } catch (RuntimeException error) {
            Log.e("tfflow", "the assets are damaged", error);
            text.setText(error.getMessage());
        }
        range.setProgress(MAX_FLOW);
        if (state != null && models != null) {
            restore(state);
        }
        bind(R.id.colors, ViewMode.COLORS);
        bind(R.id.arrows, ViewMode.ARROWS);
        bind(R.id.objects, ViewMode.DETECTION);
        range.setOnSeekBarChangeListener(
                new SeekBar.OnSeekBarChangeListener() {
                    @Override
                    public void onProgressChanged(SeekBar bar, int value, boolean byUser) {
                        showRange();
                        paint();
                    }

                    @Override
                    public void onStartTrackingTouch(SeekBar bar) {}

                    @Override
                    public void onStopTrackingTouch(SeekBar bar) {}
                });
        showRange();
        hide.setEnabled(models != null);
        hide.setOnCheckedChangeListener((button, checked) -> paint());
        bind(R.id.network, this::chooseNetwork);
        bind(R.id.unit, this::chooseUnit);
        bind(R.id.save, () -> choosePlace(CHOOSE_PLACE));
        bind(R.id.share, this::share);
        bind(R.id.benchmark, this::openBenchmark);
        findViewById(R.id.camera).setOnClickListener(button -> show(null));
        findViewById(R.id.video)
                .setOnClickListener(button -> choose(open("video/*"), CHOOSE_VIDEO));
    }

    private void restore(Bundle state) {
        hide.setChecked(Boolean.parseBoolean(state.getString(HIDE)));
        asked = Boolean.parseBoolean(state.getString(ASKED));
        modes.choose(ViewMode.valueOf(state.getString(MODE, ViewMode.COLORS.name())));
        String file = state.getString(VIDEO);
        video = file == null ? null : Uri.parse(file);
        String name = state.getString(NETWORK);
        network = models.names().contains(name) ? name : network;
        String unit = state.getString(UNIT);
        choice =
                choice.withUnit(unit == null ? null : Choice.Unit.valueOf(unit))
                        .withThreads(Integer.parseInt(state.getString(THREADS, "1")));
    }

    private void bind(int id, Runnable action) {
        findViewById(id)
                .setOnClickListener(
                        button -> {
                            trouble = "";
                            action.run();
                        });
        findViewById(id).setEnabled(models != null);
    }

    private void bind(int id, ViewMode mode) {
        RadioButton button = findViewById(id);
        button.setEnabled(models != null && modes.reason(mode) == null);
        button.setChecked(modes.current() == mode);
        button.setOnClickListener(
                pressed -> {
                    if (modes.choose(mode)) {
                        work();
                    }
                });
    }

    private void showRange() {
        TextView label = findViewById(R.id.range_label);
        label.setText(getString(R.string.range, maxFlow()));
    }

    private int maxFlow() {
        return Math.max(1, range.getProgress());
    }

    private FlowPipelineOptions painting() {
        FlowPipelineOptions colors =
                FlowPipelineOptions.standard()
                        .withFit(Fit.LETTERBOX)
                        .withMaxFlow(maxFlow())
                        .withOpacity(OPACITY)
                        .withLeastConfidence(hide.isChecked() ? FlowField.DOUBTFUL : 0)
                        .withFastColors();
        return modes.current() == ViewMode.ARROWS ? colors.withArrows(ARROW_STEP) : colors;
    }

    private void paint() {
        Session now = session;
        if (now != null) {
            now.paintAs(painting());
        }
    }

    @Override
    protected void onResume() {
        super.onResume();
        resumed = true;
        displays().registerDisplayListener(this, null);
        Adding.tell(() -> runOnUiThread(this::work));
        start();
    }

    private DisplayManager displays() {
        return (DisplayManager) getSystemService(Context.DISPLAY_SERVICE);
    }

    /** The frames that the user has chosen, through the networks that the mode needs. */
    private void start() {
        notice = "";
        if (models == null) {
            return;
        }
        work();
        if (video != null) {
            source = new VideoSource(this, video, this);
        } else if (checkSelfPermission(Manifest.permission.CAMERA)
                == PackageManager.PERMISSION_GRANTED) {
            openCamera();
        } else if (!asked) {
            asked = true; // the question takes the screen: it comes back to onResume
            requestPermissions(new String[] {Manifest.permission.CAMERA}, ASK_CAMERA);
        } else {
            onFailure(getString(R.string.needs_camera));
        }
    }

    /** Sees to it that the networks chosen are at work for this screen. */
    private void work() {
        if (!resumed || Adding.isRunning()) {
            return;
        }
        Adding added = Adding.take();
        if (added != null && added.network != null) {
            network = added.network;
        } else if (added != null) {
            complain(getString(R.string.not_added, added.problem));
        }
        boolean detects = modes.current() == ViewMode.DETECTION;
        Session now = Session.of(models, detects ? null : network, choice, painting());
        if (now != session) {
            session = now;
            now.attach(this);
        }
    }

    private void openCamera() {
        CameraSource camera =
                new CameraSource((CameraManager) getSystemService(Context.CAMERA_SERVICE), this);
        source = camera;
        try {
            if (!camera.open(degrees())) {
                onFailure(getString(R.string.no_camera));
            }
        } catch (CameraAccessException | RuntimeException error) {
            // RuntimeException: a permission taken back, a camera unplugged, a driver's own.
            onFailure(getString(R.string.camera_failed, error.getMessage()));
        }
    }

    private int degrees() {
        return 90 * getWindowManager().getDefaultDisplay().getRotation();
    }

    @Override
    public void onDisplayAdded(int display) {}

    @Override
    public void onDisplayRemoved(int display) {}

    /** Turned: upside down is no change of the configuration, and the screen is not made anew. */
    @Override
    public void onDisplayChanged(int display) {
        if (source instanceof CameraSource) {
            ((CameraSource) source).turn(degrees());
        }
    }

    @Override
    protected void onPause() {
        resumed = false;
        displays().unregisterDisplayListener(this);
        Adding.tell(null);
        leave();
        super.onPause();
    }

    /** The source ends, the networks wait. */
    private void leave() {
        if (source != null) {
            source.close();
            source = null;
        }
        Session now = session;
        if (now != null) {
            now.detach();
            session = null;
        }
    }

    @Override
    protected void onDestroy() {
        if (isFinishing()) {
            Session.end();
        }
        super.onDestroy();
    }

    @Override
    public void onTrimMemory(int level) {
        super.onTrimMemory(level);
        if (level >= ComponentCallbacks2.TRIM_MEMORY_BACKGROUND && !resumed) {
            Session.end();
        }
    }

    /** A list to choose from. */
    private void choose(int title, List<String> items, IntConsumer chosen) {
        new AlertDialog.Builder(this)
                .setTitle(title)
                .setItems(
                        items.toArray(new String[0]), (dialog, which) -> chosen.accept(which))
                .show();
    }

    private void chooseNetwork() {
        List<String> items = new ArrayList<>(models.names());
        items.add(getString(R.string.add_network));
        choose(
                R.string.network,
                items,
                which -> {
                    if (which == items.size() - 1) {
                        choose(open("*/*"), CHOOSE_NETWORK);
                    } else {
                        network = items.get(which);
                        work();
                    }
                });
    }

    private void chooseUnit() {
        List<String> items = new ArrayList<>();
        List<Choice> choices = new ArrayList<>();
        items.add(getString(R.string.best));
        choices.add(Choice.BEST);
        for (Choice.Unit unit : new Choice.Unit[] {Choice.Unit.NPU, Choice.Unit.GPU}) {
            items.add(unit.name());
            choices.add(Choice.BEST.withUnit(unit));
        }
        for (int threads : THREAD_COUNTS) {
            items.add(getString(R.string.cpu, threads));
            choices.add(Choice.BEST.withUnit(Choice.Unit.CPU).withThreads(threads));
        }
        if (models.attempts().hasDeadly()) {
            items.add(getString(R.string.try_again));
        }
        choose(
                R.string.unit,
                items,
                which -> {
                    if (which == choices.size()) {
                        models.attempts().forget();
                        Session.end();
                    } else {
                        choice = choices.get(which);
                    }
                    work();
                });
    }

    private void openBenchmark() {
        leave();
        Session.end(); // it measures the accelerators alone
        Intent intent = new Intent(this, BenchmarkActivity.class);
        intent.putExtra(BenchmarkActivity.NETWORK, network);
        startActivity(intent);
    }

    private static Intent open(String type) {
        Intent intent = new Intent(Intent.ACTION_OPEN_DOCUMENT);
        intent.addCategory(Intent.CATEGORY_OPENABLE);
        intent.setType(type);
        return intent;
    }

    /** Keeps what is shown now. */
    private boolean takePicture() {
        picture = view.picture();
        if (picture == null) {
            complain(getString(R.string.no_picture));
        }
        return picture != null;
    }

    private void choosePlace(int request) {
        if (!takePicture()) {
            return;
        }
        Intent intent = new Intent(Intent.ACTION_CREATE_DOCUMENT);
        intent.addCategory(Intent.CATEGORY_OPENABLE);
        intent.setType(PNG);
        intent.putExtra(Intent.EXTRA_TITLE, PICTURE);
        choose(intent, request);
    }

    private void share() {
        if (Build.VERSION.SDK_INT < Build.VERSION_CODES.Q) {
            choosePlace(CHOOSE_PLACE_AND_SHARE); // the gallery would need a permission
        } else if (takePicture()) {
            send(save(null));
        }
    }

    /** Offers a saved picture to other apps; null: it was not saved. */
    private void send(@Nullable Uri file) {
        if (file == null) {
            return;
        }
        Intent intent = new Intent(Intent.ACTION_SEND);
        intent.setType(PNG);
        intent.putExtra(Intent.EXTRA_STREAM, file);
        // With these two the other app may read it, and the list of apps may show it.
        intent.setClipData(ClipData.newRawUri(PICTURE, file));
        intent.addFlags(Intent.FLAG_GRANT_READ_URI_PERMISSION);
        startActivity(Intent.createChooser(intent, getString(R.string.share)));
    }

    private void choose(Intent intent, int request) {
        try {
            startActivityForResult(intent, request);
        } catch (ActivityNotFoundException error) {
            complain(getString(R.string.no_picker));
        }
    }

    @Override
    protected void onActivityResult(int request, int result, @Nullable Intent data) {
        super.onActivityResult(request, result, data);
        Uri chosen = result == RESULT_OK && data != null ? data.getData() : null;
        if (chosen == null) {
            return;
        }
        if (request == CHOOSE_VIDEO) {
            video = chosen; // onResume follows
        } else if (request == CHOOSE_NETWORK) {
            Session.end();
            Adding.begin(models, getApplicationContext().getContentResolver(), chosen);
        } else if (request == CHOOSE_PLACE) {
            save(chosen);
        } else if (request == CHOOSE_PLACE_AND_SHARE) {
            send(save(chosen));
        }
    }

    /**
     * Writes the picture.
     *
     * @param chosen where to; null: into the gallery
     * @return where it is; null if it was not saved, and the screen says so
     */
    private @Nullable Uri save(@Nullable Uri chosen) {
        Bitmap taken = picture;
        picture = null;
        boolean isNew = chosen != null && isEmpty(chosen);
        if (taken == null) {
            complain(getString(R.string.no_picture)); // the screen was made anew meanwhile
            takeBack(null, isNew ? chosen : null);
            return null;
        }
        Uri ours = null;
        try {
            ours = chosen == null ? placeInGallery() : null;
            Uri file = ours == null ? chosen : ours;
            try (OutputStream stream = getContentResolver().openOutputStream(file, "wt")) {
                if (!taken.compress(Bitmap.CompressFormat.PNG, 100, stream)) {
                    throw new IOException(getString(R.string.half_written));
                }
            }
            return file;
        } catch (IOException | RuntimeException error) {
            complain(getString(R.string.not_saved, error.getMessage()));
            takeBack(ours, isNew ? chosen : null);
            return null;
        }
    }

    /** Whether nothing is in a file yet; not, if nobody knows. */
    private boolean isEmpty(Uri file) {
        String[] columns = {OpenableColumns.SIZE};
        try (Cursor row = getContentResolver().query(file, columns, null, null, null)) {
            return row != null && row.moveToFirst() && "0".equals(row.getString(0));
        } catch (RuntimeException error) { // of the app that keeps the file
            return false;
        }
    }

    /** Deletes what was made for the picture: a place in the gallery, or a file. */
    private void takeBack(@Nullable Uri ours, @Nullable Uri chosen) {
        try {
            if (ours != null) {
                getContentResolver().delete(ours, null, null);
            } else if (chosen != null) {
                DocumentsContract.deleteDocument(getContentResolver(), chosen);
            }
        } catch (IOException | RuntimeException error) {
            // Why it was not saved has been said; an empty picture stays.
        }
    }

    private Uri placeInGallery() throws IOException {
        ContentValues values = new ContentValues();
        values.put(MediaStore.MediaColumns.DISPLAY_NAME, PICTURE);
        values.put(MediaStore.MediaColumns.MIME_TYPE, PNG);
        Uri place =
                getContentResolver()
                        .insert(MediaStore.Images.Media.EXTERNAL_CONTENT_URI, values);
        if (place == null) {
            throw new IOException(getString(R.string.no_gallery));
        }
        return place;
    }

    /** From now on a video, or the camera. */
    private void show(@Nullable Uri newVideo) {
        leave();
        trouble = "";
        video = newVideo;
        asked = false; // who presses the button may be asked again
        start();
    }

    @Override
    protected void onSaveInstanceState(Bundle state) {
        super.onSaveInstanceState(state);
        state.putString(MODE, modes.current().name());
        state.putString(HIDE, String.valueOf(hide.isChecked()));
        state.putString(ASKED, String.valueOf(asked));
        state.putString(VIDEO, video == null ? null : video.toString());
        state.putString(NETWORK, network);
        state.putString(UNIT, choice.unit() == null ? null : choice.unit().name());
        state.putString(THREADS, String.valueOf(choice.threads()));
    }

    @Override
    public void onFrame(Frame frame) {
        Session now = session;
        if (now != null) {
            now.submit(frame);
        }
    }

    @Override
    public void onFailure(String reason) {
        notice = reason;
        runOnUiThread(() -> text.setText(reason));
    }

    /** Says what was not done, until the user wants something else. */
    private void complain(String reason) {
        trouble = reason;
        runOnUiThread(() -> text.setText(reason));
    }

    private void show(Session from, String lines, @Nullable Overlay overlay) {
        runOnUiThread(
                () -> {
                    if (session == from) { // not one that was left behind
                        hide.setEnabled(!from.lacksConfidence());
                        text.setText(lines);
                        if (overlay != null) {
                            view.show(overlay);
                        }
                    }
                });
    }

    /** What runs the networks and why, what can't be chosen, and why there are no frames. */
    private String lines(Session from) {
        String lines = from.report();
        String noConfidence = from.lacksConfidence() ? getString(R.string.no_confidence) : null;
        String detection = modes.reason(ViewMode.DETECTION);
        for (String more : new String[] {noConfidence, detection, notice, trouble}) {
            lines += more == null || more.isEmpty() ? "" : "\n" + more;
        }
        return lines + "\n\n";
    }

    @Override
    public void onReport(Session from) {
        show(from, lines(from), null);
    }

    @Override
    public void onOverlay(Session from, Overlay overlay) {
        String dropped = getString(R.string.dropped, from.dropped());
        show(from, lines(from) + from.times() + dropped, overlay);
    }

    @Override
    public void onError(Session from, String reason) {
        show(from, reason, null);
    }
}
