/* Digests: published vectors, the library as a second opinion, lanes.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <openssl/evp.h>
#include <openssl/provider.h>

#include "aero/wire/key.h"
#include "test.h"

static void
check_int(const char *set, int64_t value, const char *want, int partition)
{
    aero_key key = {.set = aero_span_str(set)};

    aero_key_set_int(&key, value);
    aero_digest(key.set, key.particle, key.value, key.digest);
    CHECK_HEX(aero_span_of(key.digest, 20), want);
    if (partition >= 0) {
        CHECK_INT(aero_partition_of(key.digest), partition);
    }
}

static void
check_bytes(const char *set, uint8_t particle, aero_span value,
            const char *want, int partition)
{
    uint8_t digest[20];

    aero_digest(aero_span_str(set), particle, value, digest);
    CHECK_HEX(aero_span_of(digest, 20), want);
    if (partition >= 0) {
        CHECK_INT(aero_partition_of(digest), partition);
    }
}

TEST(digest_of_known_keys)
{
    aero_key key = {.set = aero_span_str("demo")};

    check_int("", 1, "a443f05d05d962202b59abb402afae1737dbf66a", 932);
    check_int("demo", -1, "e9d49a24c3debdc5a6d551d3e7087999a263bb97", 1257);
    check_int("demo", 1, "b7f4b83889e2da67de683e1df6919a1eacc446c8", -1);
    check_int("set", 0, "93d943aae37b017ad7e011b0c1d2e2143c2fb37d", -1);
    check_int("set", 255, "5a7dd3ea237c30c8735b051524e66fd401a10f6a", -1);
    check_bytes("demo", AERO_PARTICLE_STRING, aero_span_str("key1"),
                "ec91192d4b7f8ce35d5d78d34bca65cbaaaac960", 492);
    check_bytes("demo", AERO_PARTICLE_BLOB, test_hex("000102"),
                "4343d714e2422fcf1974ea077b425e2bfdbc3e13", 835);
    check_bytes("set", AERO_PARTICLE_STRING, aero_span_str(""),
                "2819b1ff6e346a43b4f5f6b77a88bc3eaac22a83", -1);
    check_bytes("set", AERO_PARTICLE_BLOB, aero_span_str("aaaaaaaaaa"),
                "d10982327b2b04c7360579f252e164a75f83cd99", -1);
    aero_key_set_float(&key, 1.5);
    check_bytes("demo", key.particle, key.value,
                "10c03b48ac9b3ad8020721c4ef63d5e84485edce", 16);
}

TEST(ripemd160_of_the_published_texts)
{
    static const char *const pairs[][2] = {
        {"", "9c1185a5c5e9fc54612808977ee8f548b2258d31"},
        {"a", "0bdc9d2d256b3ee9daae347be6f4dc835a467ffe"},
        {"abc", "8eb208f7e05d987a9b044a8e98c6b087f15a0bfc"},
        {"message digest", "5d0689ef49d2fae572b881b123a85ffa21595f36"},
        {"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
         "12a053384a9c0c88e405a06c27dcf49ada62eb2b"},
    };

    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
        uint8_t digest[20];

        aero_ripemd160(aero_span_str(pairs[i][0]), digest);
        CHECK_HEX(aero_span_of(digest, 20), pairs[i][1]);
    }
}

TEST(ripemd160_agrees_with_the_library_at_every_length)
{
    OSSL_PROVIDER *legacy = OSSL_PROVIDER_load(NULL, "legacy");
    OSSL_PROVIDER *standard = OSSL_PROVIDER_load(NULL, "default");
    EVP_MD *md = EVP_MD_fetch(NULL, "RIPEMD160", NULL);
    uint8_t text[300];
    uint64_t seed = 1;

    REQUIRE(md != NULL);
    for (size_t len = 0; len <= sizeof text; len++) {
        uint8_t ours[20];
        uint8_t theirs[20];

        for (size_t i = 0; i < len; i++) {
            text[i] = (uint8_t)test_random(&seed);
        }
        aero_ripemd160(aero_span_of(text, len), ours);
        EVP_Digest(text, len, theirs, NULL, md, NULL);
        CHECK(memcmp(ours, theirs, 20) == 0);
    }
    EVP_MD_free(md);
    OSSL_PROVIDER_unload(standard);
    OSSL_PROVIDER_unload(legacy);
}

TEST(many_digests_are_those_of_one_at_a_time)
{
    enum {
        COUNT = 137
    };
    static aero_key keys[COUNT];
    aero_key *list[COUNT];
    static char text[COUNT][200];
    uint64_t seed = 7;

    for (size_t i = 0; i < COUNT; i++) {
        size_t len = test_random(&seed) % (i % 10 == 0 ? 200 : 50);

        memset(&keys[i], 0, sizeof keys[i]);
        memset(text[i], (int)('a' + i % 26), sizeof text[i]);
        keys[i].set = aero_span_str(i % 3 == 0 ? "" : "a-set");
        if (i % 4 == 0) {
            aero_key_set_int(&keys[i], (int64_t)test_random(&seed));
        }
        else {
            keys[i].particle = AERO_PARTICLE_STRING;
            keys[i].value = aero_span_of(text[i], len);
        }
        list[i] = &keys[i];
    }
    aero_digest_many(list, COUNT);
    for (size_t i = 0; i < COUNT; i++) {
        uint8_t one[20];

        aero_digest(keys[i].set, keys[i].particle, keys[i].value, one);
        CHECK(memcmp(one, keys[i].digest, 20) == 0);
    }
}
