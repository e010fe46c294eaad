/* SPDX-License-Identifier: MIT */
#include "engine/data/words.h"

static const struct lw_person persons[2][LW_PERSONS] = {
    {
        {"Anna", "she", "her"},
        {"Tom", "he", "his"},
        {"Lucy", "she", "her"},
        {"Ben", "he", "his"},
        {"Mary", "she", "her"},
        {"Jack", "he", "his"},
        {"Ella", "she", "her"},
        {"Sam", "he", "his"},
        {"Nora", "she", "her"},
        {"Peter", "he", "his"},
        {"Rose", "she", "her"},
        {"Will", "he", "his"},
        {"Clara", "she", "her"},
        {"Hugo", "he", "his"},
        {"Ida", "she", "her"},
        {"Oscar", "he", "his"},
    },
    {
        {"Zelda", "she", "her"},
        {"Boris", "he", "his"},
        {"Yara", "she", "her"},
        {"Quinn", "he", "his"},
        {"Freya", "she", "her"},
        {"Viktor", "he", "his"},
        {"Xenia", "she", "her"},
        {"Kaspar", "he", "his"},
        {"Jovana", "she", "her"},
        {"Dmitri", "he", "his"},
        {"Zuzana", "she", "her"},
        {"Ulf", "he", "his"},
        {"Petra", "she", "her"},
        {"Gregor", "he", "his"},
        {"Wanda", "she", "her"},
        {"Florian", "he", "his"},
    },
};

static const struct lw_noun animals[2][LW_ANIMALS] = {
    {
        {"dog", "dogs"},
        {"cat", "cats"},
        {"bird", "birds"},
        {"horse", "horses"},
        {"cow", "cows"},
        {"mouse", "mice"},
        {"goose", "geese"},
        {"fox", "foxes"},
        {"pony", "ponies"},
        {"rabbit", "rabbits"},
        {"owl", "owls"},
        {"frog", "frogs"},
    },
    {
        {"walrus", "walruses"},
        {"lynx", "lynxes"},
        {"puffin", "puffins"},
        {"vixen", "vixens"},
        {"kiwi", "kiwis"},
        {"yak", "yaks"},
        {"ox", "oxen"},
        {"wolf", "wolves"},
        {"jackdaw", "jackdaws"},
        {"newt", "newts"},
        {"zebra", "zebras"},
        {"quail", "quails"},
    },
};

static const struct lw_noun things[2][LW_THINGS] = {
    {
        {"apple", "apples"},
        {"book", "books"},
        {"box", "boxes"},
        {"candle", "candles"},
        {"coin", "coins"},
        {"cup", "cups"},
        {"egg", "eggs"},
        {"flower", "flowers"},
        {"key", "keys"},
        {"knife", "knives"},
        {"lamp", "lamps"},
        {"letter", "letters"},
        {"pear", "pears"},
        {"shoe", "shoes"},
        {"stone", "stones"},
        {"loaf", "loaves"},
    },
    {
        {"quartz", "quartzes"},
        {"violin", "violins"},
        {"jug", "jugs"},
        {"wreath", "wreaths"},
        {"scarf", "scarves"},
        {"kettle", "kettles"},
        {"prism", "prisms"},
        {"zither", "zithers"},
        {"anvil", "anvils"},
        {"dial", "dials"},
        {"flask", "flasks"},
        {"vase", "vases"},
        {"lens", "lenses"},
        {"hinge", "hinges"},
        {"oboe", "oboes"},
        {"yoke", "yokes"},
    },
};

static const struct lw_verb does[2][LW_DOES] = {
    {
        {"sleeps", "sleep"},
        {"sings", "sing"},
        {"runs", "run"},
        {"waits", "wait"},
        {"laughs", "laugh"},
        {"works", "work"},
        {"dreams", "dream"},
        {"walks home", "walk home"},
        {"sits down", "sit down"},
        {"goes away", "go away"},
    },
    {
        {"quivers", "quiver"},
        {"vanishes", "vanish"},
        {"juggles", "juggle"},
        {"yawns", "yawn"},
        {"kneels", "kneel"},
        {"zigzags", "zigzag"},
        {"whistles", "whistle"},
        {"drifts off", "drift off"},
        {"flinches", "flinch"},
        {"boasts", "boast"},
    },
};

static const struct lw_verb does_to[2][LW_DOES_TO] = {
    {
        {"sees", "see"},
        {"likes", "like"},
        {"follows", "follow"},
        {"finds", "find"},
        {"knows", "know"},
        {"watches", "watch"},
        {"helps", "help"},
        {"carries", "carry"},
        {"hears", "hear"},
        {"loves", "love"},
    },
    {
        {"evades", "evade"},
        {"mimics", "mimic"},
        {"outfoxes", "outfox"},
        {"unveils", "unveil"},
        {"jostles", "jostle"},
        {"quizzes", "quiz"},
        {"befriends", "befriend"},
        {"provokes", "provoke"},
        {"sketches", "sketch"},
        {"weighs", "weigh"},
    },
};

static const char *const adjectives[2][LW_ADJECTIVES] = {
    {"old", "young", "small", "big", "red", "green", "white", "black", "happy", "quiet", "tired",
     "good", "clever", "warm", "cold", "little"},
    {"azure", "vexed", "jagged", "wobbly", "opaque", "zealous", "frugal", "humid", "pivotal",
     "crimson", "knotty", "lavish", "murky", "quaint", "brisk", "dizzy"},
};

static const char *const places[2][LW_PLACES] = {
    {"garden", "house", "forest", "kitchen", "river", "school", "barn", "market", "mill", "church",
     "field", "bridge"},
    {"quarry", "vault", "jetty", "galaxy", "pavilion", "kiosk", "wharf", "oasis", "ziggurat",
     "hangar", "lagoon", "crypt"},
};

static const char *const works[2][LW_WORKS] = {
    {"baker", "teacher", "farmer", "doctor", "miller", "sailor", "painter", "smith"},
    {"juggler", "vicar", "falconer", "glazier", "quizmaster", "surveyor", "cooper", "diver"},
};

const struct lw_words lw_words[2] = {
    {persons[0], animals[0], things[0], does[0], does_to[0], adjectives[0], places[0], works[0]},
    {persons[1], animals[1], things[1], does[1], does_to[1], adjectives[1], places[1], works[1]},
};
