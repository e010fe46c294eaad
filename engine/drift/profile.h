/* SPDX-License-Identifier: MIT
 *
 * A profile: what a set of documents or images looks like, gathered in one pass in constant
 * memory. All of it is integers (images' means are fixed point), so profiles of parts add up to
 * the profile of the whole exactly, in any order.
 *
 * Text. An item is a document. Lengths are counted in bins with edges i * length_max / bins, half
 * open, the last one closed; longer lengths count in the last. Tokens are counted by id, with
 * the sums over documents that give their design effect (tally.h). Until LW_PROFILE_DOCUMENTS
 * documents were seen the same sums are kept over blocks of tokens too: few documents say nothing
 * about how documents differ.
 *
 * Vision. An item is an image, of which the means of its channels (one channel stands for three
 * equal ones), its brightness in 5 bins, and six features in fine bins are kept: brightness,
 * contrast (standard deviation), edge (mean |dx| + mean |dy|), Laplacian (mean |4 neighbours|),
 * and the shares of pixels darker than 0.05 and brighter than 0.95, all of the mean of the
 * channels on [0, 1], before any normalisation.
 */
#ifndef LW_DRIFT_PROFILE_H
#define LW_DRIFT_PROFILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/base/error.h"
#include "engine/drift/tally.h"
#include "engine/drift/wide.h"

#define LW_PROFILE_FORMAT    1
#define LW_PROFILE_DOCUMENTS 64 /* that token statistics by document take */
#define LW_PROFILE_TOP       100
#define LW_LENGTH_BINS_LIMIT 1024
#define LW_BRIGHTNESS_BINS   5
#define LW_FEATURE_BINS      4096
#define LW_MEAN_ONE          ((uint64_t)1 << 40) /* fixed point of an image's mean */

enum lw_modality { LW_TEXT, LW_VISION };

/* Where a profile's outputs come from. */
enum lw_output { LW_OUTPUT_NONE, LW_OUTPUT_PREDICTIONS, LW_OUTPUT_LABELS };

enum lw_feature {
    LW_FEATURE_BRIGHTNESS,
    LW_FEATURE_CONTRAST,
    LW_FEATURE_EDGE,
    LW_FEATURE_LAPLACIAN,
    LW_FEATURE_DARK,
    LW_FEATURE_SATURATED,
    LW_FEATURES
};

struct lw_profile_options {
    enum lw_modality modality;
    int length_bins;     /* 0: 10 */
    int length_max;      /* 0: 512 */
    int block;           /* tokens in a block; 0: 1024 */
    bool reference_only; /* images: leave out the six features */
    bool sparse;         /* a part that is merged into another again and again (tally.h) */
    uint64_t limit;      /* items to look at; 0: all */
};

struct lw_text_profile {
    int length_bins, length_max, block;
    uint64_t *length_hist;              /* [length_bins] */
    lw_wide length_sum, length_squares; /* of lengths as they are */
    uint64_t over;                      /* longer than length_max */
    struct lw_tally tokens;             /* by document */
    struct lw_tally blocks;             /* by block, empty from LW_PROFILE_DOCUMENTS on */
};

struct lw_vision_profile {
    uint32_t white;        /* of the pixels: 255, 65535; 0 before the first image */
    lw_wide mean_sum[3];   /* of images' channel means, LW_MEAN_ONE is 1 */
    lw_wide mean_cross[6]; /* of their products: 00 01 02 11 12 22 */
    uint64_t pixels;       /* of one channel */
    lw_wide pixel_sum[3], pixel_squares[3];
    uint64_t brightness_hist[LW_BRIGHTNESS_BINS];
    uint64_t featured;                         /* images in feature_hist */
    uint64_t (*feature_hist)[LW_FEATURE_BINS]; /* [LW_FEATURES] */
    uint16_t
        *met; /* sparse: bins of the six, one after the other, that hold something; else NULL */
    int mets;
};

/* A word for an id, to show. */
struct lw_id_text {
    uint32_t id;
    char text[28];
};

struct lw_profile {
    enum lw_modality modality;
    uint64_t items;
    uint64_t limit;
    bool reference_only;
    struct lw_text_profile text;
    struct lw_vision_profile vision;
    enum lw_output output;
    struct lw_tally outputs;
    struct lw_id_text *name; /* of frequent tokens, by id; from a file, not merged */
    int names;
};

LW_NODISCARD int lw_profile_init(struct lw_profile *p, const struct lw_profile_options *options,
                                 struct lw_error *err);
void lw_profile_fini(struct lw_profile *p);

/* Empty it, keeping options and memory. */
void lw_profile_clear(struct lw_profile *p);

/* A document: its length and its tokens, negative ids left out of both. */
LW_NODISCARD int lw_profile_document(struct lw_profile *p, const int32_t *ids, size_t n,
                                     struct lw_error *err);

/* The parts of that: n items of these lengths (LW_EDATA for a negative one); tokens that belong to
 * one document, or a part of it. */
LW_NODISCARD int lw_profile_lengths(struct lw_profile *p, const int32_t *length, size_t n,
                                    struct lw_error *err);
LW_NODISCARD int lw_profile_tokens(struct lw_profile *p, const int32_t *ids, size_t n,
                                   struct lw_error *err);

/* Images of one size in memory. */
struct lw_images {
    const void *pixels;
    size_t count;
    int channels; /* 1 or 3 */
    int height, width;
    int bytes;      /* of a sample: 1 or 2 */
    bool planar;    /* [count, channels, height, width], else [count, height, width, channels] */
    uint32_t white; /* the sample that is 1.0; 0: the largest there is */
};

/* LW_EDATA for a sample above white, sizes that make no sense, or another white than before. */
LW_NODISCARD int lw_profile_images(struct lw_profile *p, const struct lw_images *images,
                                   struct lw_error *err);

/* What was predicted, or the labels, of one unit: a document's tokens or one image. LW_EUSAGE
 * where they come from elsewhere than before. */
LW_NODISCARD int lw_profile_outputs(struct lw_profile *p, enum lw_output output,
                                    const int32_t *classes, size_t n, struct lw_error *err);

/* Add from to p. LW_EDATA, naming both, where modality, bins, blocks, white or the kind of outputs
 * differ; p is as it was then. */
LW_NODISCARD int lw_profile_merge(struct lw_profile *p, const struct lw_profile *from,
                                  struct lw_error *err);

/* Edge i of bins that part [0, max] evenly. */
double lw_bin_edge(int i, int bins, double max);

/* The bin of x: half open, the last closed, what lies outside in the first or last. */
int lw_bin_of(double x, int bins, double max);

/* Add n to a bin of feature_hist, counted through all six. */
void lw_feature_add(struct lw_vision_profile *v, int bin, uint64_t n);

/* Upper end of a feature's fine bins. */
double lw_feature_max(enum lw_feature f);
const char *lw_feature_name(enum lw_feature f);

const char *lw_modality_name(enum lw_modality m);
const char *lw_output_name(enum lw_output o); /* "predictions", "labels", "none" */

/* Mean and population standard deviation of lengths; NaN without items. */
double lw_profile_length_mean(const struct lw_profile *p);
double lw_profile_length_std(const struct lw_profile *p);

/* Means over images of channel means, their covariance, standard deviation of pixels; NaN without
 * images. a, b: channels. */
double lw_profile_channel_mean(const struct lw_profile *p, int channel);
double lw_profile_channel_covariance(const struct lw_profile *p, int a, int b);
double lw_profile_pixel_std(const struct lw_profile *p, int channel);

/* The word for a token, NULL where none is known. */
const char *lw_profile_name(const struct lw_profile *p, uint32_t id);

/* Gives the word for a token, or NULL. */
typedef const char *lw_profile_namer(void *user, uint32_t id, char out[28]);

/* Take the words for the most frequent tokens. */
LW_NODISCARD int lw_profile_take_names(struct lw_profile *p, lw_profile_namer *name, void *user,
                                       struct lw_error *err);

/* Read and write profiles as JSON (lw_profile_load: LW_EIO, LW_EDATA naming file and key). name
 * may be NULL. */
LW_NODISCARD int lw_profile_save(const struct lw_profile *p, const char *path,
                                 lw_profile_namer *name, void *user, struct lw_error *err);
LW_NODISCARD int lw_profile_load(struct lw_profile *p, const char *path, struct lw_error *err);

/* The same in memory: *text is the caller's to free; where names the text in messages. */
LW_NODISCARD int lw_profile_write(const struct lw_profile *p, lw_profile_namer *name, void *user,
                                  char **text, size_t *size, struct lw_error *err);
LW_NODISCARD int lw_profile_read(struct lw_profile *p, const char *text, size_t size,
                                 const char *where, struct lw_error *err);

#endif
