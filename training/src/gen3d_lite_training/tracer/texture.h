// Solid textures: three colours mixed by a pattern in space.
#pragma once
#include "records.h"
#include "vector.h"

enum Pattern {
    PLAIN, CLOUDS, STRIPES, CHECKER, GRADIENT, DOTS, WOOD, MARBLE, GRID, SPECKLE, TARTAN, BRICKS,
    CAMOUFLAGE, WARPED
};

FUNCTION Vec colour_at(const Material& m, Vec p) {
    int seed = (int)m.seed;
    float f = m.frequency, first = 0, second = 0;  // how much of the second and the third colour
    float ca = cosf(m.angle), sa = sinf(m.angle);
    float cb = cosf(m.angle * 2.7f + seed), sb = sinf(m.angle * 2.7f + seed);
    Vec q = vec(ca * p.x - sa * p.y, sa * p.x + ca * p.y, p.z);
    q = vec(q.x, cb * q.y - sb * q.z, sb * q.y + cb * q.z);
    Vec offset = vec(random_at(seed, 1, 2, 3), random_at(seed, 4, 2, 3), random_at(seed, 5, 2, 7)) * 50.f;
    Vec g = q * f + offset;
    Vec cell = vec(floorf(g.x), floorf(g.y), floorf(g.z));
    switch ((int)m.pattern) {
        case CLOUDS: first = smoothstep(.3f, .7f, fractal_noise(g, seed, 4)); break;
        case STRIPES: first = smoothstep(-.15f, .15f, sinf(q.x * f * 3.f)); break;
        case CHECKER: {
            Vec k = q * f;
            first = ((int)floorf(k.x) + (int)floorf(k.y) + (int)floorf(k.z)) & 1;
        } break;
        case GRADIENT: first = clampf(q.y * .6f + .5f, 0, 1); break;
        case DOTS: {
            float radius = random_at((int)cell.x, (int)cell.y, (int)cell.z, seed) * .25f + .2f;
            first = smoothstep(radius, radius - .06f, length(g - cell - vec(.5f, .5f, .5f)));
            second = random_at((int)cell.x, (int)cell.y, (int)cell.z, seed + 9) > .6f;
        } break;
        case WOOD: {
            float ring = length(q.x, q.z) + .25f * fractal_noise(q * 2.f + offset, seed, 3);
            first = .5f + .5f * sinf(ring * f * 4.f);
        } break;
        case MARBLE:
            first = .5f + .5f * sinf(q.x * f * 2.f +
                                     7.f * fractal_noise(q * (f * .5f) + offset, seed, 4));
            break;
        case GRID: {
            Vec k = q * f;
            first = k.x - floorf(k.x) < .1f || k.y - floorf(k.y) < .1f || k.z - floorf(k.z) < .1f;
        } break;
        case SPECKLE: first = noise(q * (f * 9.f) + offset, seed); break;
        case TARTAN:
            first = .5f * (smoothstep(-.1f, .1f, sinf(q.x * f * 3.f)) +
                           smoothstep(-.1f, .1f, sinf(q.y * f * 3.f + 1.f)));
            second = sinf(q.x * f * 1.5f) > .9f || sinf(q.y * f * 1.5f) > .9f;
            break;
        case BRICKS: {
            float r = random_at((int)cell.x, (int)floorf(g.y * 1.7f), (int)cell.z, seed);
            first = r > .55f;
            second = r < .2f;
        } break;
        case CAMOUFLAGE: {
            float r = fractal_noise(g, seed, 5);
            first = r > .55f;
            second = r < .38f;
        } break;
        case WARPED: {
            Vec w = vec(fractal_noise(g, seed, 3), fractal_noise(q * f + offset * 1.7f, seed + 5, 3), 0) * 3.f;
            first = smoothstep(.3f, .7f, fractal_noise(q * f + w, seed + 11, 4));
            second = smoothstep(.5f, .8f, w.x * .4f);
        } break;
    }
    Vec colour = mix(mix(vec(m.colours), vec(m.colours + 3), first * m.contrast),
                     vec(m.colours + 6), second * m.contrast);
    if (m.grain > 0) {
        float grain = fractal_noise(q * (f * 2.f + 6.f) + offset, seed + 3, 3) - .5f;
        colour = colour * (1.f + grain * m.grain);
    }
    return colour;
}
