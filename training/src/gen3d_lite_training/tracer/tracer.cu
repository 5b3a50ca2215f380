// A sphere tracer for random scenes of signed-distance objects. One pixel is one function; nvcc makes
// it a kernel, a C++ compiler (-x c++ -fopenmp) a loop.
#include "surface.h"
#include "texture.h"

// Identities in the first label plane; parts are numbered in the second one.
constexpr int FIRST_INSTANCE = 1, FIRST_CUTOUT = 17, GROUND = 61, WALL = 62, SIDE_WALL = 63;
constexpr float FAR = 1e9f, HORIZON = 60.f, PICTURE_SCALE = .35f;

struct Pixel {
    Vec colour;
    int identity, part;
    float front, back;  // depths along the optical axis; 0 where no object is
    Vec back_colour;
};

// Negative inside the shape.
INLINE float outline(const Cutout& s, float x, float y) {
    float dx = x - s.centre[0], dy = y - s.centre[1], c = cosf(s.angle), d = sinf(s.angle);
    float u = (c * dx + d * dy) / s.size[0], v = (-d * dx + c * dy) / s.size[1];
    const float* l = s.lobes;
    switch ((int)s.kind) {
        case 0: {
            float a = atan2f(v, u);
            return length(u, v) - (1 + l[0] * cosf(l[1] * a + l[2]) + l[3] * cosf(l[4] * a + l[5]));
        }
        case 1: return fmaxf(fabsf(u), fabsf(v)) - 1;
        case 2: return fmaxf(fabsf(u) * .866f + v * .5f, -v) - .5f;
        case 3: return fmaxf(length(u, v) - 1, l[3] - length(u, v));
        default: return fabsf(u) + fabsf(v) - 1;
    }
}

// The first cut-out at a point, in front or on the backdrop; -1 when there is none.
INLINE int cutout_at(const Scene& scene, const Cutout* cutouts, float x, float y, bool front) {
    for (int i = 0; i < (int)scene.cutouts; i++)
        if ((cutouts[i].front > 0) == front && outline(cutouts[i], x, y) < 0) return i;
    return -1;
}

INLINE Vec cutout_colour(const Cutout& s, float x, float y) {
    float dx = x - s.centre[0], dy = y - s.centre[1];
    return colour_at(s.material, vec(dx, dy, 0)) * (1.f + s.gradient[0] * dy + s.gradient[1] * dx);
}

INLINE Vec lit(const Scene& scene, Vec albedo, Vec normal, Vec ray, float specular, float visible,
               float occlusion) {
    Vec light = vec(scene.light), half = normalised(light - ray);
    float diffuse = fmaxf(dot(normal, light), 0) * visible * scene.light_strength;
    float ambient = scene.ambient * (.7f + .3f * normal.y) * occlusion;
    float shine = powf(fmaxf(dot(normal, half), 0), 8.f + 60.f * specular) * specular * visible;
    Vec colour = vec(scene.light_colour);
    return albedo * (colour * diffuse + vec(ambient, ambient, ambient)) + colour * shine;
}

INLINE float sunlight(const Object* objects, const Instance* instances, const Scene& scene, Vec point,
                      Vec normal) {
    Vec light = vec(scene.light);
    if (scene.shadow <= 0 || dot(normal, light) <= 0) return 1.f;
    Vec start = point + normal * .02f;
    for (int i = 0; i < (int)scene.instances; i++) {
        const Instance& instance = instances[i];
        Vec from = start - vec(instance.centre);
        float near, far, s = instance.scale;
        if (!meets(instance, from, light, &near, &far)) continue;
        Vec origin = rotate(instance.rotation, from) * (1.f / s), ray = rotate(instance.rotation, light);
        if (trace(objects[(int)instance.object], origin, ray, near / s, far / s, 28, .006f) > 0)
            return 1.f - scene.shadow;
    }
    return 1.f;
}

// Ambient occlusion with every other object taken for a sphere.
INLINE float openness(const Instance* instances, const Scene& scene, Vec point, Vec normal, int self) {
    if (scene.occlusion <= 0) return 1.f;
    float open = 1.f;
    for (int i = 0; i < (int)scene.instances; i++) {
        if (i == self) continue;
        Vec d = vec(instances[i].centre) - point;
        float r = instances[i].scale * .6f, distance = length(d);
        float facing = fmaxf(dot(normal, d) / distance * .5f + .5f, 0);
        float q = facing * r * r / (distance * distance + r * r * .3f);
        open *= 1.f - scene.occlusion * clampf(q, 0, 1) * .6f;
    }
    return self < 0 ? open : open * (.6f + .4f * clampf(point.y * 2.f + .4f, 0, 1));
}

// The surface behind: the same ray traced from the far side of the bounding sphere.
INLINE void trace_back(const Object& object, const Instance& instance, const Scene& scene, Vec eye,
                       Vec local_eye, Vec ray, Vec local_ray, float local_hit, float axis, Pixel* out) {
    float near, far;
    meets(instance, eye - vec(instance.centre), ray, &near, &far);
    float s = instance.scale, start = far / s + .01f;
    Vec origin = local_eye + local_ray * start;
    float t = trace(object, origin, local_ray * -1.f, 0, 2.2f, 72, .0025f);
    out->back = out->front;
    if (t <= 0) return;
    out->back = fmaxf(start - t, local_hit) * s * axis;
    Vec point = origin - local_ray * t;
    int material = 0;
    distance_to(object, point, &material);
    Vec normal = rotate_back(instance.rotation, normal_at(object, point));
    float light = scene.ambient * (.7f + .3f * normal.y) + scene.light_strength * .45f;
    out->back_colour = colour_at(instance.materials[material], point) * light;
}

FUNCTION Pixel shade(const Object* objects, const Instance* instances, const Cutout* cutouts,
                     const Scene& scene, float x, float y, bool with_back) {
    Pixel out = {vec(0, 0, 0), 0, 0, 0, 0, vec(0, 0, 0)};
    int cutout = cutout_at(scene, cutouts, x, y, true);
    if (cutout >= 0) {
        out.colour = cutout_colour(cutouts[cutout], x, y);
        out.identity = FIRST_CUTOUT + cutout;
        return out;
    }
    Vec eye = vec(scene.eye), forward = vec(scene.camera + 6);
    Vec ray = vec((x - scene.principal[0]) / scene.focal[0], (y - scene.principal[1]) / scene.focal[1], 1);
    ray = normalised(rotate_back(scene.camera, ray));

    float nearest = FAR;
    int hit = -1;
    for (int i = 0; i < (int)scene.instances; i++) {
        const Instance& instance = instances[i];
        Vec from = eye - vec(instance.centre);
        float near, far, s = instance.scale;
        if (!meets(instance, from, ray, &near, &far) || near > nearest) continue;
        Vec origin = rotate(instance.rotation, from) * (1.f / s);
        float t = trace(objects[(int)instance.object], origin, rotate(instance.rotation, ray), near / s,
                        far / s, 64, .0025f);
        if (t > 0 && t * s < nearest) {
            nearest = t * s;
            hit = i;
        }
    }
    float to_ground = scene.ground > 0 && ray.y < -1e-4f ? -eye.y / ray.y : FAR, to_wall = FAR;
    Vec facing = vec(sinf(scene.wall_angle), 0, cosf(scene.wall_angle));
    if (scene.wall_distance < 0 && dot(ray, facing) < -1e-4f) {
        to_wall = (scene.wall_distance - dot(eye, facing)) / dot(ray, facing);
        if (to_wall < 0) to_wall = FAR;
    }
    Vec aside = vec(facing.z, 0, -facing.x);  // where a room's second wall faces
    float to_side = FAR, to_ceiling = FAR;
    if (scene.side_distance < 0 && dot(ray, aside) < -1e-4f) {
        to_side = (scene.side_distance - dot(eye, aside)) / dot(ray, aside);
        if (to_side < 0) to_side = FAR;
    }
    if (scene.ceiling > eye.y && ray.y > 1e-4f) to_ceiling = (scene.ceiling - eye.y) / ray.y;
    float to_room = fminf(to_side, to_ceiling);
    float distance = fminf(fminf(nearest, to_room), fminf(to_ground, to_wall));
    if (distance >= HORIZON) {
        cutout = cutout_at(scene, cutouts, x, y, false);
        if (cutout >= 0) {
            out.colour = cutout_colour(cutouts[cutout], x, y);
            out.identity = FIRST_CUTOUT + cutout;
        } else {
            Vec sky = mix(vec(scene.sky_top), vec(scene.sky_bottom), clampf(y * .5f + .5f, 0, 1));
            out.colour = mix(sky, colour_at(scene.sky_material, vec(x, y, 0)), scene.sky_texture);
        }
        return out;
    }
    Vec point = eye + ray * distance, normal, albedo;
    float specular = 0;
    if (hit >= 0 && nearest <= distance) {
        const Instance& instance = instances[hit];
        const Object& object = objects[(int)instance.object];
        Vec origin = rotate(instance.rotation, eye - vec(instance.centre)) * (1.f / instance.scale);
        Vec local_ray = rotate(instance.rotation, ray), local = origin + local_ray * (nearest / instance.scale);
        int material = 0;
        distance_to(object, local, &material);
        normal = rotate_back(instance.rotation, normal_at(object, local));
        if (dot(normal, ray) > 0) normal = normalised(normal - ray * (dot(normal, ray) * 1.01f));
        albedo = colour_at(instance.materials[material], local);
        specular = instance.materials[material].specular;
        out.identity = FIRST_INSTANCE + hit;
        out.part = hit * MAX_MATERIALS + material + 1;
        out.front = distance * dot(ray, forward);
        if (with_back)
            trace_back(object, instance, scene, eye, origin, ray, local_ray, nearest / instance.scale,
                       dot(ray, forward), &out);
    } else if (to_room < fminf(to_ground, to_wall)) {
        bool above = to_ceiling < to_side;
        normal = above ? vec(0, -1, 0) : aside;
        albedo = above ? vec(scene.sky_bottom) : colour_at(scene.wall_material, point * .5f);
        out.identity = above ? 0 : SIDE_WALL;
    } else if (to_ground < to_wall) {
        normal = vec(0, 1, 0);
        albedo = colour_at(scene.ground_material, point * .5f);
        specular = scene.ground_material.specular;
        out.identity = GROUND;
    } else {
        normal = facing;
        albedo = colour_at(scene.wall_material, point * .5f);
        out.identity = WALL;
        float u = dot(point, vec(facing.z, 0, -facing.x)) * PICTURE_SCALE;
        float v = point.y * PICTURE_SCALE - PICTURE_SCALE;
        cutout = cutout_at(scene, cutouts, u, -v, false);
        if (cutout >= 0) {
            albedo = colour_at(cutouts[cutout].material,
                               vec(u - cutouts[cutout].centre[0], v - cutouts[cutout].centre[1], 0));
            out.identity = FIRST_CUTOUT + cutout;
        }
    }
    int self = out.identity < FIRST_CUTOUT ? hit : -1;
    float visible = sunlight(objects, instances, scene, point, normal);
    out.colour = lit(scene, albedo, normal, ray, specular, visible,
                     openness(instances, scene, point, normal, self));
    return out;
}

// Averages `samples` rays a pixel; labels and depths are those of the central one.
INLINE void render_pixel(const Object* objects, const Instance* instances, const Cutout* cutouts,
                         const Scene* scenes, int size, int samples, bool with_back, float* colours,
                         uint8_t* labels, float* surfaces, long index) {
    const float offsets[5][2] = {{.5f, .5f}, {.12f, .12f}, {.88f, .88f}, {.12f, .88f}, {.88f, .12f}};
    int x = index % size, y = (index / size) % size, image = index / ((long)size * size);
    Vec sum = vec(0, 0, 0);
    for (int s = 0; s < samples; s++) {
        float u = (x + offsets[s][0]) / size * 2 - 1, v = (y + offsets[s][1]) / size * 2 - 1;
        Pixel pixel = shade(objects, instances + (long)image * MAX_INSTANCES,
                            cutouts + (long)image * MAX_CUTOUTS, scenes[image], u, v, s == 0 && with_back);
        Vec c = pixel.colour;
        sum = sum + vec(fminf(c.x, 1.2f), fminf(c.y, 1.2f), fminf(c.z, 1.2f));
        if (s > 0) continue;
        labels[index * 2] = (uint8_t)pixel.identity;
        labels[index * 2 + 1] = (uint8_t)pixel.part;
        if (with_back) {
            float* out = surfaces + index * 5;
            out[0] = pixel.front;
            out[1] = pixel.back;
            out[2] = pixel.back_colour.x;
            out[3] = pixel.back_colour.y;
            out[4] = pixel.back_colour.z;
        }
    }
    colours[index * 3] = sum.x / samples;
    colours[index * 3 + 1] = sum.y / samples;
    colours[index * 3 + 2] = sum.z / samples;
}

#define ARGUMENTS                                                                                  \
    const Object *objects, const Instance *instances, const Cutout *cutouts, const Scene *scenes,  \
        int images, int size, int samples, int with_back, float *colours, uint8_t *labels,         \
        float *surfaces

#ifdef __CUDACC__
constexpr int TILE_WIDTH = 16, TILE_HEIGHT = 8;  // rays of a block stay close together

__global__ __launch_bounds__(TILE_WIDTH* TILE_HEIGHT) void render_kernel(ARGUMENTS) {
    int columns = size / TILE_WIDTH, rows = size / TILE_HEIGHT, tile = blockIdx.x;
    int x = tile % columns * TILE_WIDTH + threadIdx.x % TILE_WIDTH;
    int y = tile / columns % rows * TILE_HEIGHT + threadIdx.x / TILE_WIDTH;
    long index = ((long)(tile / (columns * rows)) * size + y) * size + x;
    render_pixel(objects, instances, cutouts, scenes, size, samples, with_back, colours, labels, surfaces,
                 index);
}

extern "C" int render(ARGUMENTS, void* stream) {
    int tiles = images * (size / TILE_WIDTH) * (size / TILE_HEIGHT);
    render_kernel<<<tiles, TILE_WIDTH * TILE_HEIGHT, 0, (cudaStream_t)stream>>>(
        objects, instances, cutouts, scenes, images, size, samples, with_back, colours, labels, surfaces);
    return (int)cudaGetLastError();
}
#else
extern "C" int render(ARGUMENTS, void*) {
    long pixels = (long)images * size * size;
#pragma omp parallel for schedule(dynamic, 256)
    for (long i = 0; i < pixels; i++)
        render_pixel(objects, instances, cutouts, scenes, size, samples, with_back, colours, labels,
                     surfaces, i);
    return 0;
}
#endif

// Floats in each record, for Python to compare with its own layout.
extern "C" void record_sizes(int* out) {
    out[0] = sizeof(Primitive) / sizeof(float);
    out[1] = sizeof(Object) / sizeof(float);
    out[2] = sizeof(Material) / sizeof(float);
    out[3] = sizeof(Instance) / sizeof(float);
    out[4] = sizeof(Cutout) / sizeof(float);
    out[5] = sizeof(Scene) / sizeof(float);
}
