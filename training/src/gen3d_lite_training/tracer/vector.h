// Vectors, hashing and value noise for host and device.
#pragma once
#include <math.h>
#include <stdint.h>

#ifdef __CUDACC__
#define INLINE __device__ __forceinline__
#define FUNCTION __device__ __noinline__  // keeps the kernel's code and registers small
#else
#define INLINE static inline
#define FUNCTION static
#endif

struct Vec {
    float x, y, z;
};

INLINE Vec vec(float x, float y, float z) { return Vec{x, y, z}; }
INLINE Vec vec(const float* p) { return Vec{p[0], p[1], p[2]}; }
INLINE Vec operator+(Vec a, Vec b) { return vec(a.x + b.x, a.y + b.y, a.z + b.z); }
INLINE Vec operator-(Vec a, Vec b) { return vec(a.x - b.x, a.y - b.y, a.z - b.z); }
INLINE Vec operator*(Vec a, float s) { return vec(a.x * s, a.y * s, a.z * s); }
INLINE Vec operator*(Vec a, Vec b) { return vec(a.x * b.x, a.y * b.y, a.z * b.z); }
INLINE float dot(Vec a, Vec b) { return a.x * b.x + a.y * b.y + a.z * b.z; }
INLINE float length(Vec a) { return sqrtf(dot(a, a) + 1e-12f); }
INLINE float length(float x, float y) { return sqrtf(x * x + y * y); }
INLINE Vec normalised(Vec a) { return a * (1.f / length(a)); }
INLINE float clampf(float x, float low, float high) { return fminf(fmaxf(x, low), high); }
INLINE float mix(float a, float b, float t) { return a * (1 - t) + b * t; }
INLINE Vec mix(Vec a, Vec b, float t) { return a * (1 - t) + b * t; }
INLINE float smoothstep(float a, float b, float x) {
    float t = clampf((x - a) / (b - a), 0, 1);
    return t * t * (3 - 2 * t);
}

// Rows of a 3 × 3 matrix times a vector, and the same with its transpose.
INLINE Vec rotate(const float* m, Vec v) {
    return vec(m[0] * v.x + m[1] * v.y + m[2] * v.z, m[3] * v.x + m[4] * v.y + m[5] * v.z,
               m[6] * v.x + m[7] * v.y + m[8] * v.z);
}
INLINE Vec rotate_back(const float* m, Vec v) {
    return vec(m[0] * v.x + m[3] * v.y + m[6] * v.z, m[1] * v.x + m[4] * v.y + m[7] * v.z,
               m[2] * v.x + m[5] * v.y + m[8] * v.z);
}

// An integer hash of good avalanche (C. Wellons' "lowbias32"), and four integers to [0, 1).
INLINE uint32_t scramble(uint32_t x) {
    x ^= x >> 16;
    x *= 0x7feb352dU;
    x ^= x >> 15;
    x *= 0x846ca68bU;
    return x ^ (x >> 16);
}
INLINE float random_at(int x, int y, int z, int seed) {
    uint32_t h = (uint32_t)x * 73856093u ^ (uint32_t)y * 19349663u ^ (uint32_t)z * 83492791u;
    return (scramble(h ^ (uint32_t)seed * 2654435761u) & 0xffffff) * (1.f / 16777216.f);
}

// Value noise in [0, 1], and its fractal sum.
INLINE float noise(Vec p, int seed) {
    float fx = floorf(p.x), fy = floorf(p.y), fz = floorf(p.z);
    int x = (int)fx, y = (int)fy, z = (int)fz;
    float u = smoothstep(0, 1, p.x - fx), v = smoothstep(0, 1, p.y - fy);
    float w = smoothstep(0, 1, p.z - fz);
    float a = mix(random_at(x, y, z, seed), random_at(x + 1, y, z, seed), u);
    float b = mix(random_at(x, y + 1, z, seed), random_at(x + 1, y + 1, z, seed), u);
    float c = mix(random_at(x, y, z + 1, seed), random_at(x + 1, y, z + 1, seed), u);
    float d = mix(random_at(x, y + 1, z + 1, seed), random_at(x + 1, y + 1, z + 1, seed), u);
    return mix(mix(a, b, v), mix(c, d, v), w);
}
FUNCTION float fractal_noise(Vec p, int seed, int octaves) {
    float amplitude = .5f, sum = 0, weight = 0;
    for (int i = 0; i < octaves; i++) {
        sum += amplitude * noise(p, seed + i);
        weight += amplitude;
        amplitude *= .55f;
        p = p * 2.03f;
    }
    return sum / weight;
}
