// Signed distances: primitives (after I. Quilez, "distance functions") and objects made of them.
#pragma once
#include "records.h"
#include "vector.h"

enum Kind { BOX, CONE, CAPSULE, TORUS, ELLIPSOID, LATHE, WAVE, SUPERELLIPSOID, DOME, ARC, WEDGE };
enum Operation { UNION, SMOOTH_UNION, SUBTRACTION };

// A profile swept along z from -depth to depth, given the profile's distance.
INLINE float extrude(float profile, float z, float depth) {
    float d = fabsf(z) - depth;
    return fminf(fmaxf(profile, d), 0) + length(fmaxf(profile, 0), fmaxf(d, 0));
}

INLINE float ellipsoid(Vec p, float a, float b, float c) {
    float k = length(vec(p.x / a, p.y / b, p.z / c));
    float gradient = length(vec(p.x / (a * a), p.y / (b * b), p.z / (c * c)));
    return k * (k - 1.f) / gradient * .9f;
}

// Bounds rather than exact distances are shortened by a factor, so that no step passes a surface.
INLINE float distance_to(const Primitive& q, Vec world) {
    Vec p = rotate(q.rotation, world - vec(q.centre));
    float a = q.size[0], b = q.size[1], c = q.size[2], r = q.rounding;
    switch ((int)q.kind) {
        case BOX: {
            r = fminf(r, fminf(a, fminf(b, c)) * .98f);
            float x = fabsf(p.x) - a + r, y = fabsf(p.y) - b + r, z = fabsf(p.z) - c + r;
            Vec outside = vec(fmaxf(x, 0), fmaxf(y, 0), fmaxf(z, 0));
            return length(outside) + fminf(fmaxf(x, fmaxf(y, z)), 0) - r;
        }
        case CONE: {  // radius a below, c above
            float t = clampf(p.y / b * .5f + .5f, 0, 1);
            float slope = 2 * b / sqrtf(4 * b * b + (c - a) * (c - a));
            float side = (length(p.x, p.z) - mix(a, c, t)) * slope + r, cap = fabsf(p.y) - b + r;
            return fminf(fmaxf(side, cap), 0) + length(fmaxf(side, 0), fmaxf(cap, 0)) - r;
        }
        case CAPSULE: {  // radius a below, c above
            float y = clampf(p.y, -b, b);
            return (length(vec(p.x, p.y - y, p.z)) - mix(a, c, y / b * .5f + .5f)) * .95f;
        }
        case TORUS:  // around z
            return length(length(p.x, p.y) - a, p.z) - b;
        case ELLIPSOID:
            return ellipsoid(p, a, b, c);
        case LATHE: {  // eight radii from bottom to top; a wall r thick, open above, or solid
            float t = clampf(p.y / b * .5f + .5f, 0, 1) * 7.f;
            int i = (int)fminf(t, 6.f);
            float u = t - i;
            u = u * u * (3 - 2 * u) * .6f + u * .4f;
            float side = (length(p.x, p.z) - a * mix(q.extra[i], q.extra[i + 1], u)) * .55f;
            float d = fmaxf(side, fabsf(p.y) - b);
            if (r > 0) d = fmaxf(d, -fmaxf(side + r * .55f, -(p.y + b - r)));
            return d * .9f;
        }
        case WAVE: {  // a cylinder of wavy outline
            float angle = atan2f(p.z, p.x);
            float radius = a * (1 + q.extra[0] * cosf(q.extra[1] * angle + q.extra[2]) +
                                q.extra[3] * cosf(q.extra[4] * angle + q.extra[5]));
            return fmaxf((length(p.x, p.z) - radius) * .5f, fabsf(p.y) - b) * .9f;
        }
        case SUPERELLIPSOID: {  // exponent r
            float s = powf(fabsf(p.x / a) + 1e-5f, r) + powf(fabsf(p.y / b) + 1e-5f, r) +
                      powf(fabsf(p.z / c) + 1e-5f, r);
            return (powf(s, 1.f / r) - 1.f) * fminf(a, fminf(b, c)) * .7f;
        }
        case DOME: {  // the upper half of an ellipsoid, hollow when r > 0
            float d = ellipsoid(p, a, b, c);
            if (r > 0) d = fmaxf(d, -(d + r));
            return fmaxf(d, -p.y);
        }
        case ARC: {  // of a torus around z: c radians to either side of +y
            float sine = sinf(c), cosine = cosf(c), x = fabsf(p.x);
            float ring = cosine * x > sine * p.y ? length(x - a * sine, p.y - a * cosine)
                                                 : fabsf(length(x, p.y) - a);
            return length(ring, p.z) - b;
        }
        case WEDGE: {  // a trapezoid, a · extra[0] wide above, extruded along z
            float top = a * q.extra[0], x = fabsf(p.x);
            float edge_x = top - a, edge_y = 2 * b;
            float cap_x = x - fminf(x, p.y < 0 ? a : top), cap_y = fabsf(p.y) - b;
            float t = clampf(((top - x) * edge_x + (b - p.y) * edge_y) /
                                 (edge_x * edge_x + edge_y * edge_y), 0, 1);
            float side_x = x - top + edge_x * t, side_y = p.y - b + edge_y * t;
            float sign = side_x < 0 && cap_y < 0 ? -1.f : 1.f;
            float squared = fminf(cap_x * cap_x + cap_y * cap_y, side_x * side_x + side_y * side_y);
            return extrude(sign * sqrtf(squared) + r, p.z, c - r) - r;
        }
    }
    return 1e9f;
}

FUNCTION float distance_to(const Object& object, Vec p, int* material) {
    int count = (int)object.count, nearest = 0;
    float total = 1e9f, best = 1e9f;
    for (int i = 0; i < count; i++) {
        const Primitive& q = object.primitives[i];
        float d = distance_to(q, p);
        int operation = (int)q.operation;
        if (operation == SUBTRACTION) {
            total = fmaxf(total, -d);
            continue;
        }
        if (d < best) {
            best = d;
            nearest = (int)q.material;
        }
        float k = q.blend;
        if (operation == SMOOTH_UNION && k > 0) {
            float h = clampf(.5f + .5f * (total - d) / k, 0, 1);
            total = mix(total, d, h) - k * h * (1 - h);
        } else {
            total = fminf(total, d);
        }
    }
    float relief = object.relief;
    if (relief > 0 && total < relief * 2.f) {
        float bump = fractal_noise(p * object.relief_frequency, 7, 3) - .5f;
        total = (total + relief * bump * 2.f) * .7f;
    }
    if (material) *material = nearest;
    return total;
}

// Sphere tracing from `near` to `far` in the object's frame; a miss is negative.
INLINE float trace(const Object& object, Vec origin, Vec ray, float near, float far, int steps,
                   float tolerance) {
    float t = near;
    for (int i = 0; i < steps; i++) {
        float d = distance_to(object, origin + ray * t, 0);
        if (d < tolerance) return t;
        t += fmaxf(d * .95f, tolerance * .7f);
        if (t > far) return -1.f;
    }
    return -1.f;
}

INLINE Vec normal_at(const Object& object, Vec p) {
    const float e = .004f;
    Vec a = vec(1, -1, -1), b = vec(-1, -1, 1), c = vec(-1, 1, -1), d = vec(1, 1, 1);
    return normalised(a * distance_to(object, p + a * e, 0) + b * distance_to(object, p + b * e, 0) +
                      c * distance_to(object, p + c * e, 0) + d * distance_to(object, p + d * e, 0));
}

// Where a ray meets an instance's bounding sphere, clipped to what lies before the eye.
INLINE bool meets(const Instance& instance, Vec from_centre, Vec ray, float* near, float* far) {
    float b = dot(from_centre, ray);
    float h = b * b - dot(from_centre, from_centre) + instance.scale * instance.scale;
    if (h <= 0) return false;
    h = sqrtf(h);
    *near = fmaxf(-b - h, .01f);
    *far = -b + h;
    return *far > .01f;
}
