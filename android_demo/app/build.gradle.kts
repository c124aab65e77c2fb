plugins {
    alias(libs.plugins.android.application)
}

android {
    namespace = "org.tfflow.demo"
    compileSdk = 36

    defaultConfig {
        applicationId = "org.tfflow.demo"
        minSdk = 24
        targetSdk = 36
        versionCode = 1
        versionName = "0.1.0"
        ndk {
            abiFilters += listOf("arm64-v8a", "armeabi-v7a", "x86_64") // the last: emulators
        }
    }

    compileOptions {
        sourceCompatibility = JavaVersion.VERSION_1_8
        targetCompatibility = JavaVersion.VERSION_1_8
    }

    // LiteRT maps the file into memory: it must not be compressed.
    androidResources {
        noCompress += "tflite"
    }

    buildTypes {
        release {
            isMinifyEnabled = true // flowlitert says what must stay
            proguardFiles(getDefaultProguardFile("proguard-android-optimize.txt"))
        }
    }

    lint {
        // LiteRT's own libraries: what they are aligned to is theirs to fix.
        disable += "Aligned16KB"
    }
}

dependencies {
    implementation(project(":flowlitert"))
}
