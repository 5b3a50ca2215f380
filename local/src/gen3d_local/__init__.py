"""Gen3D on one machine: its template in a local AWS, its weights and page in the bucket."""
