plugins {
    alias(libs.plugins.android.library)
}

android {
    namespace = "org.tfflow.litert"
    compileSdk = 36

    defaultConfig {
        minSdk = 24
        consumerProguardFiles("consumer-rules.pro")
    }

    compileOptions {
        sourceCompatibility = JavaVersion.VERSION_1_8
        targetCompatibility = JavaVersion.VERSION_1_8
    }

    testOptions {
        unitTests.all { it.useJUnitPlatform() }
    }
}

dependencies {
    api(project(":flowcore"))
    implementation(libs.litert)
    implementation(libs.litert.gpu) // from 2.3 on the GPU is a file of its own

    testImplementation(libs.junit.jupiter)
    testImplementation(libs.json) // Android's own only throws on a desktop
    testRuntimeOnly(libs.junit.platform.launcher)
}
