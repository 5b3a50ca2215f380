// What Python packs and the tracer reads: structs of floats alone. layout.py names the same fields.
#pragma once

constexpr int MAX_PRIMITIVES = 20, MAX_MATERIALS = 6, MAX_INSTANCES = 16, MAX_CUTOUTS = 28;

struct Primitive {
    float kind, centre[3], rotation[9];  // rotation: object frame to the primitive's, by rows
    float size[3], rounding;
    float operation, blend, material;
    float extra[8];  // a lathe's profile, a wave's amplitudes, …
};
struct Object {  // fits the unit sphere
    Primitive primitives[MAX_PRIMITIVES];
    float count, relief, relief_frequency, half_extent[3], palettes[MAX_MATERIALS];
};
struct Material {
    float pattern, colours[9], frequency, contrast, specular, seed, angle, grain;
};
struct Instance {  // of an object in the world; rotation: world to object, by rows
    float object, centre[3], rotation[9], scale;
    Material materials[MAX_MATERIALS];
};
struct Cutout {  // a flat shape in front of the scene, or painted on its backdrop
    float kind, centre[2], size[2], angle, lobes[6], front, gradient[2];
    Material material;
};
struct Scene {  // camera rows: right, down, forward; image coordinates in [-1, 1], y down
    float eye[3], camera[9], focal[2], principal[2];
    float light[3], light_strength, ambient, light_colour[3], shadow, occlusion;
    float ground, wall_distance, wall_angle, side_distance, ceiling, sky_top[3], sky_bottom[3], sky_texture;
    float instances, cutouts;
    Material ground_material, wall_material, sky_material;
};
