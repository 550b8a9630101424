"""Languages in Latin script."""

from heartline.synthetic.language import Language, words

# All of two letters, so that what they make can be taken apart in one way only.
_SYLLABLES = tuple(first + second for first in "bdfgklmnprstvz" for second in "aeiou")
_INITIALS = tuple(f"{letter}." for letter in "JMALRTDSECKPBGHWFNVOIYZQUX")
_FIRST = words(
    "Ash Black Brad Clay Dal East Fair Gar Hart Hol Kirk Lang Mar Nor Oak Pem Red Stan Thorn Whit"
)
_SECOND = words("son ton ley field ford ham wood man well worth by dale land more bury croft brook")

ENGLISH = Language(
    share=52,
    country="US",
    nouns=words(
        "Love Night Heart Time Life Day World Dream Fire Girl Light Sun Eyes Rain Home Baby Road Blue"
        " Summer River Moon Star Sky Soul Mind Way Man Dance Song Blood Water Angel Gold Ghost Ocean"
        " Money Winter Shadow City Street Train Devil Wind Stone Bird Garden Mirror Storm Fever Rose"
        " Thunder Diamond Highway Silence Paradise Echo Honey Radio Desert Smoke Lightning Kingdom"
        " Harbour Lantern Satellite Carousel Orchard Telegram Cathedral Meridian Parade"
    ),
    adjectives=words(
        "Sweet Lonely Wild Broken Little Crazy Blue New Golden Last Lost Black Electric Silent Holy"
        " Beautiful Midnight Burning Hollow Silver Endless Bitter Velvet Neon Restless Paper Distant"
        " Crimson Gentle Frozen Borrowed Lunar Crooked Amber Feral Northern"
    ),
    verbs=words(
        "Love Need Want Leave Follow Find Forget Hold Remember Believe Break Save Call Chase Feel Kiss"
        " Lose Take Trust Wake Haunt Carry"
    ),
    titles=(
        (14, "%s", "n"),
        (18, "%s %s", "an"),
        (8, "%s of %s", "nn"),
        (6, "%s in the %s", "nn"),
        (6, "The %s", "n"),
        (8, "%s Me", "v"),
        (5, "Don't %s Me", "v"),
        (5, "%s and %s", "nn"),
        (5, "I %s You", "v"),
        (4, "%s My %s", "vn"),
        (5, "My %s %s", "an"),
        (3, "%s, %s", "nn"),
        (3, "When I %s the %s", "vn"),
        (4, "No More %s", "n"),
        (3, "%s %s (Part II)", "an"),
        (3, "Where the %s %s Go", "an"),
    ),
    given=words(
        "James Mary John Emma David Anna Michael Sarah Chris Laura Daniel Kate Alex Lily Sam Grace"
        " Tom Julia Ben Rose Jack Ella Luke Ruby Adam Nina Leo Zoe Max Ivy Noah Mia Owen Faith Cole"
        " Jade Dean Hope Ray Joan Earl Dolly Otis Etta Hank Nell Cy Opal Miles Thelma"
    ),
    family=tuple(first + second for second in _SECOND for first in _FIRST),
    more=_INITIALS,
    band="The %s %s",
    genres=(
        "pop",
        "rock",
        "hip hop",
        "r&b",
        "country",
        "indie",
        "electronic",
        "jazz",
        "folk",
        "metal",
    ),
    syllables=_SYLLABLES,
)
SPANISH = Language(
    share=10,
    country="MX",
    nouns=words(
        "Amor Corazón Noche Vida Luz Fuego Luna Mar Sol Cielo Alma Camino Sueño Lluvia Beso Mañana"
        " Tierra Viento Niña Ángel Sangre Flor Ciudad Calle Verano Canción Piel Espejo Guitarra Estrella"
    ),
    adjectives=words("Azul Triste Libre Salvaje Dulce Verde Fugaz Grande Ardiente Breve Inmortal"),
    titles=(
        (20, "%s", "n"),
        (20, "%s %s", "na"),
        (12, "Mi %s", "n"),
        (10, "%s y %s", "nn"),
        (8, "Sin %s", "n"),
        (8, "Tu %s %s", "na"),
        (6, "%s de %s", "nn"),
        (4, "¿Dónde Está Mi %s?", "n"),
    ),
    given=words(
        "José María Juan Ana Luis Carmen Carlos Sofía Jesús Lucía Miguel Elena Ángel Rosa Andrés"
        " Inés Raúl Belén Iván Mónica Óscar Pilar Héctor Noemí"
    ),
    family=words(
        "García Martínez López Hernández González Pérez Rodríguez Sánchez Ramírez Flores Núñez Peña"
        " Ibáñez Muñoz Castaño Vélez Zúñiga Ordóñez Quiñones Avilés Montes Ríos"
    ),
    more=_INITIALS,
    genres=("latin", "reggaeton", "flamenco", "cumbia", "rock en español"),
    syllables=_SYLLABLES,
)
PORTUGUESE = Language(
    share=6,
    country="BR",
    nouns=words(
        "Amor Saudade Coração Noite Vida Luz Mar Lua Sol Céu Alma Caminho Sonho Chuva Manhã Menina"
        " Canção Flor Cidade Verão Ilusão Paixão Solidão Janela Avião"
    ),
    adjectives=words("Azul Triste Livre Selvagem Doce Verde Breve Distante Feliz"),
    titles=(
        (22, "%s", "n"),
        (20, "%s %s", "na"),
        (14, "Meu %s", "n"),
        (12, "%s e %s", "nn"),
        (8, "Sem %s", "n"),
        (6, "Eu Não Sou Teu %s", "n"),
    ),
    given=words(
        "João Maria Antônio Ana Zé Luíza Caetano Gal Flávio Inês Tomás Célia Otávio Lívia Márcio Íris"
    ),
    family=words(
        "Silva Souza Araújo Conceição Gonçalves Magalhães Simões Brandão Falcão Leão Mourão Pávão"
        " Sá Assunção Guimarães Vilarés"
    ),
    more=_INITIALS,
    genres=("mpb", "samba", "bossa nova", "funk carioca", "fado"),
    syllables=_SYLLABLES,
)
FRENCH = Language(
    share=6,
    country="FR",
    nouns=words(
        "Amour Cœur Nuit Vie Lumière Soleil Lune Mer Été Rêve Pluie Ciel Âme Chanson Étoile Ombre Forêt"
        " Fenêtre Liberté Hiver Fête Île Poésie Mémoire Vérité"
    ),
    adjectives=words("Rouge Triste Sauvage Libre Étrange Fragile Pâle Immense Calme Sombre"),
    titles=(
        (22, "%s", "n"),
        (20, "%s %s", "na"),
        (12, "%s et %s", "nn"),
        (8, "Sans %s", "n"),
        (8, "C'est %s", "n"),
        (6, "L'Été de %s", "n"),
        (5, "Où Va %s ?", "n"),
    ),
    given=words(
        "Édith Jean Hélène Zoé François Chloé André Noël Inès Gaël Maëlle Rémi Océane Loïc Agnès Désiré"
    ),
    family=words(
        "Lefèvre Béranger Côté Dupré Fontaine Gérard Hébert Lévesque Mérimée Noël Périer Rousseau"
        " Thévenet Vallée Bréauté Châtelet"
    ),
    more=_INITIALS,
    genres=("chanson", "french pop", "variété", "rap français"),
    syllables=_SYLLABLES,
)
GERMAN = Language(
    share=5,
    country="DE",
    nouns=words(
        "Liebe Nacht Herz Zeit Leben Licht Regen Himmel Traum Feuer Sonne Mond Straße Mädchen Schönheit"
        " Sehnsucht Frühling Übermut Schweigen Stadt Glück Flügel Nebel Größe Ärger Fernweh Möwe"
    ),
    adjectives=words("Stille Schöne Große Müde Wilde Letzte Süße Blaue Späte Kühle"),
    titles=(
        (24, "%s", "n"),
        (14, "%s und %s", "nn"),
        (12, "Ohne %s", "n"),
        (10, "%s %s", "an"),
        (8, "Zwischen %s und %s", "nn"),
        (6, "Für immer %s", "n"),
    ),
    given=words(
        "Jürgen Käthe Günter Zoë Björn Änne Uwe Heidi Götz Ute Sören Bärbel Dirk Silke Jörg Mia"
    ),
    family=words(
        "Müller Schäfer Groß Köhler Weiß Krüger Böhm Jäger Schröder Vogt Grönemann Hüttner Löwe"
        " Straßer Winzer Öhler"
    ),
    more=_INITIALS,
    genres=("deutschpop", "schlager", "techno", "krautrock"),
    syllables=_SYLLABLES,
)
POLISH = Language(
    share=2,
    country="PL",
    nouns=words(
        "Miłość Noc Serce Życie Światło Deszcz Księżyc Łza Droga Cień Słońce Wiatr Dłoń Róża"
    ),
    titles=((24, "%s", "n"), (16, "%s i %s", "nn"), (10, "Bez %s", "n"), (8, "Moja %s", "n")),
    given=words("Łukasz Żaneta Michał Agnieszka Stanisław Grażyna Paweł Małgorzata Krzyś Zuzia"),
    family=words("Wiśniewski Kowalska Wójcik Dąbrowska Zieliński Łęcka Żurek Gołąb Śliwa Pióro"),
    more=_INITIALS,
    genres=("polski pop", "poezja śpiewana"),
    syllables=_SYLLABLES,
)
TURKISH = Language(
    share=2,
    country="TR",
    nouns=words(
        "Aşk Gece Kalp Hayat Işık Yağmur Güneş Ay Deniz Rüya Gül Şarkı Gönül Düş Yıldız İnci"
    ),
    titles=((24, "%s", "n"), (16, "%s ve %s", "nn"), (10, "Bir %s", "n"), (8, "%s Gibi", "n")),
    given=words("Çağla Gökhan İbrahim Şebnem Özgür Ayşe Tarık Müzeyyen Işın Barış"),
    family=words("Yılmaz Şahin Öztürk Kılıç Çelik Gündoğdu Aydın Ünlü İlhan Tunç"),
    more=_INITIALS,
    genres=("türkçe pop", "arabesk"),
    syllables=_SYLLABLES,
)
